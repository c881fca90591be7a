"""Reading over HTTP: a page for people, `POST /extract` for programs. Needs `govorit[serve]`.

bodies.py   a request's body -> articles, their answers -> a body of the same shape
reader.py   one thread that owns the model; what requests bring waits in a bounded queue and is read together
app.py      the routes, and what surrounds each: limits, headers, the log
schema.py   what OpenAPI says of an article
page/       the page itself: HTML, style, script; asks for nothing from anywhere
"""
