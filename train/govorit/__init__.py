"""govorit (говорит, "says"): who is named in Russian news, and who said what, in which words."""

__version__ = "0.1.0"
