import doctest
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from generate import random_article

from govorit import formats, names
from govorit.article import Article, Quote, Span
from govorit.formats.inline import parse
from govorit.names import declension, morphology
from govorit.names.finder import find_names

ROOT = Path(__file__).parents[1]


def resolved(article: Article) -> list[str | None]:
    return [quote.name for quote in names.resolve(article.text, article.entities, nameless(article))]


def nameless(article: Article) -> list[Quote]:
    return [replace(quote, name=None) for quote in article.quotes]


# Each is the gold: what is found from its spans alone is compared with its names.
NAMES = {
    "a full name": '<src name="Иван Петров"><PER>Иван Петров</PER></src> <cue>сказал</cue>: <q>«Да»</q>.',
    "the name without the title": (
        '<src name="Дмитрий Песков">пресс-секретарь президента <PER>Дмитрий Песков</PER></src> <cue>сказал</cue>: <q>«Да»</q>.'
    ),
    "a surname": (
        "Приехал <PER>Юрий Чайка</PER>. <q>«Да»</q>, — <cue>сказал</cue> <src name=\"Юрий Чайка\"><PER>Чайка</PER></src>."
    ),
    "capitals inside a name": (
        '<cue 1>По словам</cue> <src 1 name="Майкл О\'Нил"><PER>Майкла О\'Нила</PER></src>, <q 1 indirect>дождь</q>. '
        '<cue 2>По словам</cue> <src 2 name="Шон О’Коннор"><PER>Шона О’Коннора</PER></src>, <q 2 indirect>снег</q>. '
        'В <src 3 name="Telegram-канал ведомства">Telegram-канале ведомства</src> <cue 3>говорится</cue>, что <q 3 indirect>лёд</q>.'
    ),
    "a stress mark and a soft hyphen are not of the name": (
        '<src name="Алексей Громов"><PER>Алек\u00adсей Гро\u0301мов</PER></src> <cue>сказал</cue>: <q>«Да»</q>.'
    ),
    "one who has not been spoken of": (
        'Прибыл <PER>Артур Чилингаров</PER>. <src name="один британец">Один британец</src> <cue>сказал</cue>, что <q indirect>шёл град</q>.'
    ),
    "the full name comes later": (
        '<src 1 name="Сергей Собянин"><PER>Собянин</PER></src> <cue 1>сказал</cue>: <q 1>«Да»</q>. Так <PER>Сергей Собянин</PER> закончил.'
    ),
    "two who speak together": (
        'Прибыли <PER>Дэвид Кэмерон</PER> и <PER>Ник Клегг</PER>. <q 1 indirect>Всё решено</q>, <cue 1>заявили</cue> '
        '<src 1 name="Дэвид Кэмерон и Ник Клегг"><PER>Кэмерон</PER> и <PER>Клегг</PER></src>. '
        '<src 2 name="Дэвид Кэмерон и Ник Клегг">Они</src> <cue 2>добавили</cue>, что <q 2 indirect>бюджет принят</q>.'
    ),
    "the same two, again and again": (
        'Прибыли <PER>Дэвид Кэмерон</PER> и <PER>Ник Клегг</PER>. <q 1 indirect>Всё решено</q>, <cue 1>заявили</cue> '
        '<src 1 name="Дэвид Кэмерон и Ник Клегг"><PER>Кэмерон</PER> и <PER>Клегг</PER></src>. '
        '<src 2 name="Дэвид Кэмерон и Ник Клегг"><PER>Кэмерон</PER>\u00a0и <PER>Клегг</PER></src> <cue 2>добавили</cue>, что '
        '<q 2 indirect>бюджет принят</q>. <src 3 name="Дэвид Кэмерон и Ник Клегг">Они</src> <cue 3>уверены</cue>, что <q 3 indirect>да</q>.'
    ),
    "one, named twice": (
        '<cue>По словам</cue> <src name="Владимир Путин"><PER>Путина</PER> и <PER>Владимира Путина</PER></src>, <q indirect>дождь</q>.'
    ),
    "three, oblique": (
        'Прибыли <PER>Юрий Антонов</PER>, <PER>Анна Петрова</PER> и <PER>Ник Клегг</PER>. <cue>По словам</cue> '
        '<src name="Юрий Антонов, Анна Петрова и Ник Клегг"><PER>Антонова</PER>, <PER>Петровой</PER> и <PER>Клегга</PER></src>, '
        "<q indirect>всё решено</q>."
    ),
    "oblique: a man": (
        '<cue>По словам</cue> <src name="Кристофер Фэллон"><PER>Кристофера Фэллона</PER></src>, <q '
        'indirect>дождь пройдёт</q>.'
    ),
    "oblique: a woman": '<cue>По словам</cue> <src name="Анна Петрова"><PER>Анны Петровой</PER></src>, <q indirect>дождь пройдёт</q>.',
    "oblique: two surnames": (
        '<cue>По словам</cue> <src name="Григорий Михнов-Вайтенко">епископа <PER>Григория '
        'Михнова-Вайтенко</PER></src>, <q indirect>дождь</q>.'
    ),
    "oblique: a surname that does not decline": (
        '<cue>По мнению</cue> <src name="Снежана Вакуленко"><PER>Снежаны Вакуленко</PER></src>, <q indirect>дождь пройдёт</q>.'
    ),
    "introduced in the dative": (
        "Слово дали <PER>Анне Петровой</PER>. <src name=\"Анна Петрова\"><PER>Петрова</PER></src> <cue>сказала</cue>: <q>«Да»</q>."
    ),
    "introduced in the instrumental": (
        "На встрече с <PER>Нурсултаном Назарбаевым</PER> спорили. "
        '<cue>По словам</cue> <src name="Нурсултан Назарбаев"><PER>Назарбаева</PER></src>, <q indirect>всё решено</q>.'
    ),
    "an initial of two letters": (
        'Прибыл <PER>Джеймс Джонс</PER>. <src name="Джеймс Джонс"><PER>Дж.Джонс</PER></src> <cue>сказал</cue>: <q>«Да»</q>.'
    ),
    "an initial whose full stop was left out": '<src name="Мария Д."><PER>Мария Д</PER>.</src> <cue>сказала</cue>: <q>«Да»</q>.',
    "initials with a space": (
        "Прибыл <PER>Нурсултан Назарбаев</PER>. <q>«Да»</q>, — <cue>сказал</cue> <src name=\"Нурсултан "
        "Назарбаев\"><PER>Н. Назарбаев</PER></src>."
    ),
    "initials without a space": (
        "Прибыл <PER>Владимир Путин</PER>. <q>«Да»</q>, — <cue>сказал</cue> <src name=\"Владимир Путин\"><PER>В.Путин</PER></src>."
    ),
    "initials alone": '<src name="Л. Д. Цыбикова"><PER>Л. Д. Цыбикова</PER></src> <cue>пообещала</cue>, что <q indirect>снег уберут</q>.',
    "a patronymic": (
        "Рассказывает <PER>Зульфия Маратовна Исхакова</PER>. "
        '<q>«Да»</q>, — <cue>сказала</cue> <src name="Зульфия Маратовна Исхакова"><PER>Зульфия Маратовна</PER></src>.'
    ),
    "a first name with a patronymic is less than one with a surname": (
        "<PER>Тимур Рашидович</PER> слушал. <PER>Тимур Рашидович</PER> молчал. "
        '<q>«Да»</q>, — <cue>сказал</cue> <src name="Тимур Сайфутдинов">доцент <PER>Тимур Сайфутдинов</PER></src>.'
    ),
    "the surname first": (
        '<src name="Владислав Юрьевич Сурков"><PER>Сурков Владислав Юрьевич</PER></src> <cue>заверил</cue>, что <q indirect>всё решено</q>.'
    ),
    "the surname first, and a patronymic in -ич": (
        '<src name="Иван Лукич Петров"><PER>Петров Иван Лукич</PER></src> <cue>заверил</cue>, что <q indirect>всё решено</q>.'
    ),
    "husband and wife": (
        "Пришли <PER>Иван Орлов</PER> и <PER>Мария Орлова</PER>. "
        '<q>«Да»</q>, — <cue>сказала</cue> <src name="Мария Орлова"><PER>Орлова</PER></src>.'
    ),
    "of two with one surname, whom the verb means": (
        "Умерла <PER>Джанет Рено</PER>. Её брат <PER>Роберт Рено</PER> писал. "
        '<src name="Джанет Рено"><PER>Рено</PER></src> <cue>сказала</cue>, что <q indirect>ждёт</q>.'
    ),
    "the verb of a noun whose complement a name is": (
        "Приехал <PER>Дональд Трамп</PER>. <PER>Хиллари Клинтон</PER> выступила. Диагноз <PER>Клинтон</PER> был известен. "
        '<src name="Дональд Трамп">Он</src> <cue>сказал</cue>, что <q indirect>дождь</q>.'
    ),
    "a surname spelled in two ways": (
        "Прибыл <PER>Джон Бенер</PER>. <src 1 name=\"Джон Бенер\"><PER>Бонер</PER></src> <cue 1>сказал</cue>: <q 1>«Да»</q>. "
        '<src 2 name="Джон Бенер">Спикер <PER>Бонер</PER></src> <cue 2>сказал</cue>: <q 2>«Нет»</q>.'
    ),
    "in the case of the noun before it": (
        "<q 1 indirect>Дождь</q>, <cue 1>говорили</cue> <src 1 name=\"женщины\">женщины</src>. Пела актриса <PER>Таране Алидусти</PER>. "
        '<src 2 name="Таране Алидусти">Она</src> <cue 2>добавила</cue>: <q 2>«Да»</q>.'
    ),
    "not in the case of a noun of many": (
        "Пришла председатель профсоюза горняков <PER>Алевтина Рябова</PER>. "
        '<src name="Алевтина Рябова"><PER>А. Рябова</PER></src>: <q>«Да»</q>.'
    ),
    "a Korean name that begins like a title": (
        '<src name="Пан Ги Мун">генсек <PER>Пан Ги Мун</PER></src> <cue>выразил</cue> надежду, что <q indirect>всё решено</q>.'
    ),
    "who signs a letter": (
        '<src name="Вера Седова">Я</src> <cue>хотела бы подчеркнуть</cue>, что <q indirect>мост построят</q>.\n\nВсем спасибо!\n\n'
        "<PER>Вера Седова</PER>, главный инженер\n"
    ),
    "nobody has signed": (
        "<src>Я</src> <cue>думаю</cue>, что <q indirect>мост построят</q>.\n\n<PER>Вера Седова</PER> построила мост.\n"
    ),
    "she, by an adjective": (
        "<PER>Дональд Трамп</PER> приехал. Задержали 65-летнюю <PER>Аун Сан Су Чжи</PER>. "
        '<src name="Дональд Трамп">Он</src> <cue>сказал</cue>, что <q indirect>дождь</q>.'
    ),
    "she, by a short participle": (
        "<PER>Дональд Трамп</PER> приехал. Будет освобождена <PER>Аун Сан Су Чжи</PER>. "
        '<src name="Дональд Трамп">Он</src> <cue>сказал</cue>, что <q indirect>дождь</q>.'
    ),
    "his wife is not he": (
        "Скончалась жена <PER>Стэна Ли</PER>. "
        '<src name="Стэн Ли"><PER>Ли</PER></src> <cue>сказал</cue>, что <q indirect>дождь</q>.'
    ),
    "there, in the paper that has spoken": (
        'В <src 1 name="отчёт палаты">отчёте палаты</src> <cue 1>говорится</cue>, что <q 1 indirect>снег вывезен</q>. '
        'Там же <cue 2>указано</cue>, что <q 2 indirect>аванс получен</q><name 2="отчёт палаты"/>.'
    ),
    "there, in the office that was named": (
        "Проверку начала <ORG>прокуратура Омской области</ORG>. "
        'Там пока не <cue>подтверждают</cue>, что <q indirect>есть подозреваемые</q><name="прокуратура Омской области"/>.'
    ),
    "a company that carries is no person": (
        'В <src 1 name="компания-перевозчик «Жол»">компании-перевозчике «<ORG>Жол</ORG>»</src> <cue 1>ответили</cue>, что '
        '<q 1 indirect>вагонов нет</q>, и <cue 2>пообещали</cue>, что <q 2 indirect>они будут</q><name 2="компания-перевозчик «Жол»"/>.'
    ),
    "a surname that loses a vowel": (
        "Прибыл <PER>Олег Знарок</PER>. "
        '<cue>По мнению</cue> <src name="Олег Знарок"><PER>Знарка</PER></src>, <q indirect>дождь</q>.'
    ),
    "a surname in -ска": (
        "Говорили о <PER>Божене Рынской</PER>. "
        '<src name="Божена Рынска"><PER>Рынска</PER></src> <cue>утверждала</cue>, что <q indirect>да</q>.'
    ),
    "a first name spelled in two ways": (
        "<PER>Брижит Бардо</PER> пела. <PER>Брижит Бардо</PER> ушла. "
        '<src name="Брижит Бардо"><PER>Бриджит Бардо</PER></src> <cue>сказала</cue>: <q>«Да»</q>.'
    ),
    "a first name and a surname before both together": (
        "Уволены <PER>Рекс</PER> и <PER>Тиллерсон</PER>. Ждали <PER>Рекса Тиллерсона</PER>. "
        '<src name="Рекс Тиллерсон"><PER>Тиллерсон</PER></src> <cue>сказал</cue>: <q>«Да»</q>.'
    ),
    "two names that are alike and not one": (
        "Прибыл <PER>Олег Волков</PER>. <src 1 name=\"Войков\"><PER>Войков</PER></src> <cue 1>сказал</cue>: <q 1>«Да»</q>. "
        "<PER>Мария Седова</PER> ушла. <PER>Мария Седова</PER> пела. "
        '<src 2 name="Марина Седова"><PER>Марина Седова</PER></src> <cue 2>сказала</cue>: <q 2>«Да»</q>.'
    ),
    "a foreign name": '<src name="Абдель Керим аль-Масри"><PER>Абдель Керим аль-Масри</PER></src> <cue>заявил</cue>: <q>«Да»</q>.',
    "a name in Latin letters": '<src name="Ben Kohn"><PER>Ben Kohn</PER></src> <cue>сказал</cue>: <q>«Да»</q>.',
    "a name in quoted words only": (
        "<q 1>«Это знает <PER>Пётр Ильин</PER>»</q>, — <cue 1>сказал</cue> <src 1 name=\"Иван Орлов\"><PER>Иван Орлов</PER></src>. "
        '<q 2>«Знаю»</q>, — <cue 2>ответил</cue> <src 2 name="Пётр Ильин"><PER>Ильин</PER></src>.'
    ),
    "of somebody": '<src name="представитель Обамы">Представитель <PER>Обамы</PER></src> <cue>сказал</cue>: <q>«Да»</q>.',
    "critics of somebody": '<src name="критики Алиева">Критики <PER>Алиева</PER></src> <cue>считают</cue>, что <q indirect>закон плох</q>.',
    "he": '<PER>Иван Петров</PER> пришёл. <q>«Да»</q>, — <cue>сказал</cue> <src name="Иван Петров">он</src>.',
    "she, not he": (
        "<PER>Анна Орлова</PER> встретила <PER>Ивана Петрова</PER>. <q>«Да»</q>, — <cue>сказала</cue> <src name=\"Анна Орлова\">она</src>."
    ),
    "by his words": (
        '<src 1 name="Иван Петров"><PER>Иван Петров</PER></src> <cue 1>заявил</cue>, что <q 1 indirect>снег уберут</q>. '
        'По <src 2 name="Иван Петров">его</src> <cue 2>словам</cue>, <q 2 indirect>техника готова</q>.'
    ),
    "who spoke last": (
        '<src 1 name="Иван Петров"><PER>Иван Петров</PER></src> <cue 1>сказал</cue>: <q 1>«Тут был <PER>Олег Ким</PER>»</q>. '
        '<q 2>«Давно»</q>, — <cue 2>добавил</cue> <src 2 name="Иван Петров">он</src>.'
    ),
    "a title again": (
        '<src 1 name="Дмитрий Песков">Пресс-секретарь президента <PER>Дмитрий Песков</PER></src> <cue 1>сказал</cue>: <q 1>«Да»</q>. '
        "Рядом стоял <PER>Олег Ким</PER>. "
        '<q 2>«Нет»</q>, — <cue 2>добавил</cue> <src 2 name="Дмитрий Песков">пресс-секретарь</src>.'
    ),
    "a title after the name": (
        "Приехал <PER>Кевин Аллен</PER>, журналист из Бостона. Его ждал <PER>Пол Росс</PER>. "
        '<q>«Да»</q>, — <cue>сказал</cue> <src name="Кевин Аллен">журналист</src>.'
    ),
    "another word for the office": (
        "Главный тренер <PER>Антон Гречко</PER> сменил состав, вратарь <PER>Ян Рау</PER> остался. "
        '<q>«Так надо»</q>, — <cue>сказал</cue> <src name="Антон Гречко">наставник</src>.'
    ),
    "the office and the place": (
        "Президент <LOC>Сербии</LOC> <PER>Александр Вучич</PER> принял президента <LOC>Грузии</LOC> <PER>Георгия Маргвелашвили</PER>. "
        '<q>«Рад»</q>, — <cue>сказал</cue> <src name="Александр Вучич">президент <LOC>Сербии</LOC></src>.'
    ),
    "the adjective of the place": (
        "Президент <LOC>Казахстана</LOC> <PER>Нурсултан Назарбаев</PER> принял президента <LOC>Сербии</LOC> <PER>Александра Вучича</PER>. "
        '<q>«Рад»</q>, — <cue>сказал</cue> <src name="Нурсултан Назарбаев">казахстанский лидер</src>.'
    ),
    "presidents of two countries": (
        "Президенты <LOC>Казахстана</LOC> и <LOC>России</LOC> <PER>Нурсултан Назарбаев</PER> и <PER>Владимир Путин</PER> спорили. "
        '<q 1>«Да»</q>, — <cue 1>сказал</cue> <src 1 name="Нурсултан Назарбаев">президент <LOC>Казахстана</LOC></src>. '
        '<q 2>«Нет»</q>, — <cue 2>ответил</cue> <src 2 name="Владимир Путин">президент <LOC>России</LOC></src>.'
    ),
    "a woman is the woman": (
        "<PER>Анна Орлова</PER> встретила <PER>Ивана Петрова</PER>. <q>«Да»</q>, — <cue>сказала</cue> <src "
        "name=\"Анна Орлова\">женщина</src>."
    ),
    "a woman by her first name": (
        'Пришли <PER>Лилия Цой</PER> и <PER>Олег Ким</PER>. <q>«Да»</q>, — <cue>сказала</cue> <src name="Лилия Цой">она</src>.'
    ),
    "no ё where the article writes none": '<src name="Илья Пономарев"><PER>Илья Пономарев</PER></src> <cue>сказал</cue>: <q>«Да»</q>.',
    "whose will": (
        '<cue>Согласно</cue> <src name="завещание Альфреда Нобеля">завещанию <PER>Альфреда Нобеля</PER></src>, '
        "<q indirect>премии будут</q>."
    ),
    "his lawyers": (
        "<PER>Иван Петров</PER> молчит. "
        '<src name="адвокаты Ивана Петрова">Его адвокаты</src> <cue>заявили</cue>, что <q indirect>срок прошёл</q>.'
    ),
    "a source again": (
        '<src 1 name="источник в правительстве">Источник в правительстве</src> <cue 1>сообщил</cue>, что <q 1 indirect>закон готов</q>. '
        '<src 2 name="источник в правительстве">Источник</src> <cue 2>добавил</cue>, что <q 2 indirect>его примут</q>.'
    ),
    "who talked to the paper": (
        "Приехал <PER>Иван Петров</PER>. "
        '<src 1 name="источник в мэрии">Источник в мэрии</src> <cue 1>сообщил</cue>, что <q 1 indirect>мост закрыт</q>. '
        '<q 2>«Надолго»</q>, — <cue 2>добавил</cue> <src 2 name="источник в мэрии">собеседник издания</src>.'
    ),
    "the fuller name of a court": (
        "Дело слушает <ORG>Верховный суд Израиля</ORG>. "
        '<src name="Верховный суд Израиля"><ORG>Верховный суд</ORG></src> <cue>постановил</cue>, что <q indirect>срок прошёл</q>.'
    ),
    "the name of these initials": (
        "<ORG>Европейский суд по правам человека</ORG> и <ORG>Агентство национальной безопасности США</ORG> молчали. "
        '<src 1 name="Европейский суд по правам человека"><ORG>ЕСПЧ</ORG></src> <cue 1>считает</cue>, что <q 1 indirect>срок прошёл</q>. '
        'В <src 2 name="Агентство национальной безопасности США"><ORG>АНБ</ORG></src> <cue 2>считают</cue>, что <q 2 indirect>нет</q>.'
    ),
    "a bracket within the name of these initials": (
        "Доклад готовит <ORG>Общественная палата (ОП</ORG>). "
        'В <src name="Общественная палата"><ORG>ОП</ORG></src> <cue>считают</cue>, что <q indirect>срок прошёл</q>.'
    ),
    "the name behind an abbreviation": (
        "Решает <ORG>Международный олимпийский комитет</ORG> (<ORG>МОК</ORG>). "
        '<src name="Международный олимпийский комитет"><ORG>МОК</ORG></src> <cue>считает</cue>, что <q indirect>срок прошёл</q>.'
    ),
    "a noun that is a name": (
        "Спорили о <ORG>Кремле</ORG>, пока было можно. "
        '<src name="Кремль"><ORG>Кремль</ORG></src> <cue>заявил</cue>, что <q indirect>срок прошёл</q>.'
    ),
    "nobody names the judge": '<src name="судья">Судья</src> <cue>заявил</cue>, что <q indirect>срок прошёл</q>.',
    "a designation in the nominative": (
        '<cue>По словам</cue> <src name="представитель банка">представителя банка</src>, <q '
        'indirect>дождь</q>.'
    ),
    "of many": '<cue>По мнению</cue> <src name="музыкальные критики">музыкальных критиков</src>, <q indirect>песня плоха</q>.',
    "this one": '<cue>По словам</cue> <src name="чиновник">этого чиновника</src>, <q indirect>закон готов</q>.',
    "the office in charge": (
        '<cue>По данным</cue> <src name="ведомство">соответствующего ведомства</src>, <q indirect>закон готов</q>.'
    ),
    "of two": '<cue>По словам</cue> <src name="два чиновника">двух чиновников</src>, <q indirect>закон готов</q>.',
    "he is his own designation": (
        '<src 1 name="представитель банка">Представитель банка</src> <cue 1>заявил</cue>, что <q 1 indirect>деньги целы</q>. '
        '<q 2>«Все»</q>, — <cue 2>добавил</cue> <src 2 name="представитель банка">он</src>.'
    ),
    "an organisation": '<cue>По данным</cue> <src name="Росстат"><ORG>Росстата</ORG></src>, <q indirect>цены выросли</q>.',
    "an organisation in marks": 'Как <cue>сообщает</cue> <src name="РИА «Новости»">РИА «<ORG>Новости</ORG>»</src>, <q indirect>дождь</q>.',
    "a name in marks declines": (
        'В <src name="«Лаборатория Касперского»">«<ORG>Лаборатории Касперского</ORG>»</src> '
        '<cue>считают</cue>, что <q indirect>это вирус</q>.'
    ),
    "an abbreviation": '<cue>По данным</cue> <src name="МИД"><ORG>МИДа</ORG></src>, <q indirect>встреча прошла</q>.',
    "an agency": '<cue>По данным</cue> <src name="Reuters">агентства <ORG>Reuters</ORG></src>, <q indirect>встреча прошла</q>.',
    "the head declines, its complements stay": (
        'В <src name="региональное управление Следственного комитета">региональном управлении <ORG>Следственного комитета</ORG></src> '
        "<cue>сообщили</cue>, что <q indirect>дело закрыто</q>."
    ),
    "in the holding": 'В <src name="холдинг">холдинге</src> <cue>отметили</cue>, что <q indirect>долг погашен</q>.',
    "a name that does not decline after one that does": (
        "Он говорил с <PER>Рафаэлем Корреа</PER>. "
        '<src name="Рафаэль Корреа"><PER>Корреа</PER></src> <cue>заявил</cue>, что <q indirect>срок прошёл</q>.'
    ),
    "who is spoken of in another case": (
        'Ждали <src name="Франц Бекенбауэр"><PER>Франца Бекенбауэра</PER></src>, который <cue>шутит</cue>: <q>«Рано»</q>.'
    ),
    "a noun says that it is a woman": (
        "Пришли правозащитница <PER>Мавджуда Рахимова</PER> и <PER>Олег Ким</PER>. "
        '<q>«Да»</q>, — <cue>сказала</cue> <src name="Мавджуда Рахимова">она</src>.'
    ),
    "the agent of an actress": (
        "<PER>Дженнифер Лопес</PER> уехала. <PER>Дженнифер Лопес</PER> вернулась. "
        '<src name="представитель Лопес">Представитель <PER>Лопес</PER></src> <cue>сообщил</cue>, что <q indirect>концерт будет</q>.'
    ),
    "an office that nobody has named so": (
        "<PER>Марк Цукерберг</PER> приехал. <PER>Марк Цукерберг</PER> выступил. "
        '<src name="Марк Цукерберг">Глава <ORG>Facebook</ORG></src> <cue>сказал</cue>: <q>«Да»</q>.'
    ),
    "somebody new": (
        "Выступил <PER>Олег Ким</PER>. "
        '<q>«Доедем?»</q> — <cue>спросила</cue> <src name="пожилая пассажирка">пожилая пассажирка</src>.'
    ),
    "a paper that was cited": (
        'Чиновник уволен, пишет "Коммерсантъ" со ссылкой на источники. '
        '<cue>По данным</cue> <src name="Коммерсантъ">издания</src>, <q indirect>он болен</q>.'
    ),
    "a source that was told of": (
        "Об этом пишет газета со ссылкой на источник в городской администрации. "
        '<cue>По данным</cue> <src name="источник в городской администрации">источника</src>, <q indirect>он болен</q>.'
    ),
    "close to the service": (
        '<src name="источник, близкий к ФСБ">Источник</src>, близкий к ФСБ, <cue>сообщил</cue>, что <q indirect>он болен</q>.'
    ),
    "his wife": (
        "Приехал <PER>Юрий Горький</PER>. <src name=\"жена Юрия Горького\">Его жена</src> <cue>сказала</cue>: <q>«Да»</q>."
    ),
    "her father": (
        "Приехала <PER>Марина Орлова</PER>. <src name=\"отец Марины Орловой\">Её отец</src> <cue>сказал</cue>: <q>«Да»</q>."
    ),
    "an address in the vocative": '<q>«Да»</q>, — <cue>сказал</cue> <src name="отче">отче</src>.',
    "the same words again, behind marks": (
        '<q>«Да»</q>, — <cue>заявили</cue> <src name="«««««« Совет">«««««« Совет</src> и ушли. И ещё раз: «««««« Совет.'
    ),
    "a percentage": '<src name="52% жителей">52% жителей</src> <cue>считают</cue>, что <q indirect>срок прошёл</q>.',
    "two nouns": '<cue>По словам</cue> <src name="очевидцы и друзья">очевидцев и друзей</src>, <q indirect>он был пьян</q>.',
    "one of them": '<cue>По словам</cue> <src name="один из советников">одного из советников</src>, <q indirect>срок прошёл</q>.',
    "no ё in a noun where the article writes none": '<cue>Согласно</cue> <src name="отчет">отчету</src>, <q indirect>цены растут</q>.',
    "in the chain": 'В <src name="сеть «Италмас»">сети «<ORG>Италмас</ORG>»</src> <cue>заявили</cue>, что <q indirect>цены растут</q>.',
    "they say, after an office": (
        'В <src 1 name="мэрия">мэрии</src> <cue 1>сообщили</cue>, что <q 1 indirect>мост закрыт</q>. '
        "Ещё весной <cue 2>говорили</cue>, что <q 2 indirect>денег нет</q>."
    ),
    "a department again": (
        "Отчёт издало <ORG>Министерство просвещения</ORG>. В <src name=\"Министерство "
        "просвещения\">ведомстве</src> <cue>пояснили</cue>, что <q indirect>всё готово</q>."
    ),
    "a document": 'В <src name="анонимное письмо">анонимном письме</src> <cue>говорится</cue>, что <q indirect>деньги украли</q>.',
    "in it": (
        "Жильцы написали открытое письмо мэру. В <src name=\"открытое письмо мэру\">нём</src> "
        "<cue>говорится</cue>, что <q indirect>вода грязна</q>."
    ).replace("открытое письмо мэру\"", "открытое письмо\""),
    "in it, and the next line is of something else": (
        "Суд вынес решение\n<LOC>Москва</LOC> ждала его долго. В <src name=\"решение\">нём</src> <cue>говорится</cue>, что "
        "<q indirect>долг списан</q>."
    ),
    "marks of its own": (
        '<q 1>«Да»</q>, — <cue 1>сказал</cue> <src 1 name="Иван Петров"><PER>Иван Петров</PER></src>. <q '
        '2>«Мы хотим мира»</q>.<name 2="Иван Петров"/>'
    ),
    "the next paragraph": (
        '<q 1>«Да»</q>, — <cue 1>сказал</cue> <src 1 name="Иван Петров"><PER>Иван Петров</PER></src>.\n\n<q '
        '2>«Мы хотим мира»</q>.<name 2="Иван Петров"/>'
    ),
    "coordinated cues": (
        '<src 1 name="Юрий Чайка"><PER>Юрий Чайка</PER></src> <cue 1>напомнил</cue>, что <q 1 indirect>срок прошёл</q>, '
        'и <cue 2>подчеркнул</cue>, что <q 2 indirect>ждать нельзя</q>.<name 2="Юрий Чайка"/>'
    ),
    "a dropped subject": (
        '<q 1>«Да»</q>, — <cue 1>сказала</cue> <src 1 name="Анна Орлова"><PER>Анна Орлова</PER></src>. '
        '<q 2>«Мы хотим мира»</q>, — <cue 2>добавила</cue>.<name 2="Анна Орлова"/>'
    ),
    "they added in the office": (
        'В <src 1 name="мэрия">мэрии</src> <cue 1>сообщили</cue>, что <q 1 indirect>мост закрыт</q>, '
        'и <cue 2>добавили</cue>, что <q 2 indirect>надолго</q>.<name 2="мэрия"/>'
    ),
    "impersonal": '<PER>Иван Петров</PER> пришёл. <cue>Отмечается</cue>, что <q indirect>снег уберут</q>.',
    "they say": '<PER>Иван Петров</PER> пришёл. <cue>Говорят</cue>, что <q indirect>снег уберут</q>.',
    "by data of nobody": '<PER>Иван Петров</PER> пришёл. <cue>По предварительным данным</cue>, <q indirect>снег уберут</q>.',
    "somebody": '<PER>Иван Петров</PER> пришёл. <src>Кто-то из толпы</src> <cue>крикнул</cue>: <q>«Ура»</q>.',
    "the surname first, and no patronymic": (
        "<PER>Абрамович Роман</PER> молчал. <q>«Да»</q>, — <cue>сказал</cue> "
        '<src name="Роман Аркадьевич Абрамович"><PER>Роман Аркадьевич Абрамович</PER></src>.'
    ),
    "an interview": (
        "Ректор <PER>Вера Ильинична Подгаецкая</PER> ответила на вопросы.\n\n"
        '— <q 1>Вера Ильинична, обидно?</q>\n\n— <q 2>Смешно.</q><name 2="Вера Ильинична Подгаецкая"/>\n\n'
        '— <q 3>Убедили?</q>\n\n— <q 4>Нет.</q><name 4="Вера Ильинична Подгаецкая"/>\n\n'
        "Беседовала <PER>Инна Кравец</PER>"
    ).replace("обидно?</q>", 'обидно?</q><name 1="Инна Кравец"/>').replace("Убедили?</q>", 'Убедили?</q><name 3="Инна Кравец"/>'),
    "plain questions, and a host whom nobody names": (
        "<PER>Вера Подгаецкая</PER> знает <PER>Льва Юдина</PER>. <PER>Подгаецкая</PER> строит мосты.\n\nСтрашно?\n\n"
        '— <q 1>Мне нет. Спросите <PER>Юдина</PER>.</q><name 1="Вера Подгаецкая"/>\n\nОна смеётся.\n\nА ему?\n\n'
        '— <q 2>Ему да.</q><name 2="Вера Подгаецкая"/>'
    ),
    "bare answers": (
        "О мостах рассказывает <PER>Вера Подгаецкая</PER>, ученица <PER>Льва Юдина</PER>.\n\nНачинали вы с дорог.\n\n"
        '<q 1>С тропинок.</q><name 1="Вера Подгаецкая"/>\n\nКто помог?\n\n<q 2>Юдин.</q><name 2="Вера Подгаецкая"/>'
    ),
    "labels": (
        "Корреспондент «<ORG>Речной газеты</ORG>» <PER>Инна Кравец</PER> расспросила <PER>Веру Подгаецкую</PER>.\n\n"
        '<src 1 name="Инна Кравец"><PER>Корр</PER>.</src>: <q 1>Страшно?</q>\n\n'
        '<src 2 name="Вера Подгаецкая"><PER>В. П</PER>.</src>: <q 2>Нет.</q>\n\n'
        '<src 3 name="Инна Кравец"><PER>И. К.</PER></src>: <q 3>Никогда?</q>\n\n'
        '<src 4 name="«Речная газета»">«РГ»</src>: <q 4>А зимой?</q>\n\n'
        '<src 5 name="Вера Подгаецкая">Ответ</src>: <q 5>Зимой да.</q>'
    ),
    "two guests": (
        "С <PER>Верой Подгаецкой</PER> и <PER>Львом Юдиным</PER> беседует <PER>Инна Кравец</PER>.\n\n"
        '— <q 1>Вера, страшно?</q><name 1="Инна Кравец"/>\n\n— <q 2>Нет.</q><name 2="Вера Подгаецкая"/>\n\n'
        '— <q 3>А мне да</q>, — <cue 3>признаётся</cue> <src 3 name="Лев Юдин"><PER>Юдин</PER></src>.\n\n'
        '— <q 4>Ты привыкнешь.</q><name 4="Вера Подгаецкая"/>\n\n— <q 5>Лев, привыкнете?</q><name 5="Инна Кравец"/>\n\n'
        '— <q 6>Нет.</q><name 6="Лев Юдин"/>\n\n— <q 7>Почему?</q><name 7="Инна Кравец"/>\n\n— <q 8>Река.</q><name 8="Лев Юдин"/>'
    ).replace("Вера, страшно", "<PER>Вера</PER>, страшно").replace("Лев, привыкнете", "<PER>Лев</PER>, привыкнете"),
    "a dialogue in a court": (
        '— <q 1>Вину признаёте?</q> — <cue 1>спросила</cue> <src 1 name="Алия Юсупова">судья <PER>Алия Юсупова</PER></src>.\n\n'
        '— <q 2>Частично</q>, — <cue 2>ответил</cue> <src 2 name="Роман Дьячков"><PER>Роман Дьячков</PER></src>.\n\n'
        '— <q 3>Отчасти?</q><name 3="Алия Юсупова"/>\n\n— <q 4>Да.</q><name 4="Роман Дьячков"/>'
    ),
    "my companion": (
        "Ректор <PER>Вера Подгаецкая</PER> ответила на вопросы «<ORG>Речной газеты</ORG>».\n\n"
        '— <q 1>Обидно?</q><name 1="«Речная газета»"/>\n\n— <q 2>Смешно</q>, — <cue 2>говорит</cue> '
        '<src 2 name="Вера Подгаецкая">моя собеседница</src>.\n\n— <q 3>Убедили?</q><name 3="«Речная газета»"/>\n\n'
        '— <q 4>Нет.</q><name 4="Вера Подгаецкая"/>\n\n'
        'Уходя, <src 5 name="Вера Подгаецкая">она</src> <cue 5>добавила</cue>: <q 5>«Пока»</q>.'
    ),
    "a guest who comes after another one": (
        'Вратарь <src 1 name="Лев Юдин"><PER>Лев Юдин</PER></src> <cue 1>отметил</cue>, что <q 1 indirect>поле готово</q>.\n\n'
        '— <q 2>Мы готовы.</q><name 2="Лев Юдин"/>\n\n— <q 3>А зимой?</q>\n\n— <q 4>Да.</q><name 4="Лев Юдин"/>\n\n'
        "— <q 5>Совсем?</q>\n\n— <q 6>Совсем.</q><name 6=\"Лев Юдин\"/>\n\n"
        'Следующим к прессе подошёл защитник <PER>Олег Ким</PER>.\n\n'
        '— <q 7>Тренер прав.</q><name 7="Олег Ким"/>\n\n— <q 8>В чём?</q>\n\n— <q 9>Во всём.</q><name 9="Олег Ким"/>'
    ),
    "words that a colon introduces after another sentence": (
        '<q 1>«Да»</q>, — <cue 1>сказал</cue> <src 1 name="Лев Юдин"><PER>Лев Юдин</PER></src>. На стене висел плакат: '
        '<q 2>«Нет войне»</q>. <q 3>«Пора»</q>, — <cue 3>добавил</cue> <src 3 name="Лев Юдин">он</src>. '
        'Потом он улыбнулся: <q 4>«И мне»</q>.<name 4="Лев Юдин"/>'
    ),
    "a title before another person's name": (
        "Показали беседу президента <PER>Льва Юдина</PER> и режиссёра <PER>Олега Кима</PER>. <PER>Ким</PER> улыбнулся. "
        '<src name="Лев Юдин">Президент</src> <cue>сказал</cue>: <q>«Да»</q>.'
    ),
    "he, not who is named in what he says": (
        "Прибыл <PER>Лев Юдин</PER>. Вечером его принял <PER>Олег Ким</PER>. "
        '<src 1 name="Лев Юдин">Он</src> <cue 1>сказал</cue>, что <q 1 indirect><PER>Ким</PER> прав</q>. '
        '<src 2 name="Лев Юдин">Он</src> <cue 2>посоветовал</cue> <PER>Киму</PER> <q 2 indirect>подождать</q>.'
    ),
    "he, not who is mentioned in these words alone": (
        "Утром в город прибыл <PER>Лев Юдин</PER>. Шёл дождь. Стемнело. Ветер стих.\n\n"
        '<q>«Где <PER>Олег Ким</PER>? Пора»</q>, — <cue>сказал</cue> <src name="Лев Юдин">он</src>.'
    ),
    "somebody who speaks of a colleague": (
        'Доклад написал эксперт <PER>Лев Юдин</PER>. <src name="эксперт">Эксперт</src> <cue>сказал</cue>, что '
        "<q indirect>доклад <PER>Юдина</PER> верен</q>."
    ),
    "documents are no single one": (
        'Власти готовят указ о рыбе. Согласно <src name="документы">документам</src>, <q indirect>лов закрыт</q>.'
    ).replace("Согласно", "<cue>Согласно</cue>"),
    "a document that somebody speaks of": (
        'Доклад вышел. <q 1>«Это не решение вопроса»</q>, — <cue 1>сказал</cue> <src 1 name="Лев Юдин"><PER>Лев Юдин</PER></src>. '
        'В <src 2 name="доклад">документе</src> <cue 2>говорится</cue>, что <q 2 indirect>лов закрыт</q>.'
    ),
    "one of two who spoke together": (
        '<src 1 name="правительство и агентство «Заря»">Правительство и агентство «Заря»</src> <cue 1>сообщили</cue>, что '
        '<q 1 indirect>идёт дождь</q>. <src 2 name="правительство">Правительство</src> <cue 2>добавило</cue>, что <q 2 indirect>снег</q>.'
    ),
    "the source of a newspaper": (
        '<cue>По словам</cue> <src name="источник газеты &quot;Ведомости&quot;">источника газеты "<ORG>Ведомости</ORG>"</src>, '
        "<q indirect>лов закрыт</q>."
    ),
    "an agency of two names": (
        'Как <cue>сообщает</cue> <src name="ИТАР-ТАСС">агентство <ORG>ИТАР-ТАСС</ORG></src>, <q indirect>лов закрыт</q>.'
    ),
    "a compound whose first part may be plural": (
        '<cue>По словам</cue> <src name="пресс-центр ведомства">пресс-центра ведомства</src>, <q indirect>лов закрыт</q>.'
    ),
    "whose lawyers, of a surname in the genitive": (
        "Задержан <PER>Никита Белых</PER>. <src name=\"адвокаты Никиты Белых\">Его адвокаты</src> <cue>сказали</cue>: <q>«Да»</q>."
    ),
    "a paper whose name ends a sentence": (
        'Об этом пишет Le Parisien. По данным <src name="Le Parisien">газеты</src>, <q indirect>лов закрыт</q>.'
    ).replace("По данным", "<cue>По данным</cue>"),
    "an organisation that is nobody's title": (
        "Прибыла глава Росатома <PER>Анна Орлова</PER>. В <src name=\"Росатом\"><ORG>Росатоме</ORG></src> <cue>сказали</cue>, что "
        "<q indirect>дождя нет</q>."
    ),
    "a place that was taken for a person": (
        '<src name="начальник станции Париж">Начальник станции <PER>Париж</PER></src> <cue>сказал</cue>: <q>«Да»</q>.'
    ),
    "by his own words": (
        'Прибыл <PER>Лев Юдин</PER>. <cue>По его собственным словам</cue>, <q indirect>дождя нет</q>.<name ="Лев Юдин"/>'
    ),
    "a converb after another speaker": (
        '<src 1 name="Олег Ким"><PER>Олег Ким</PER></src> <cue 1>сказал</cue>: <q 1>«Да»</q>. '
        '<PER>Лев Юдин</PER> кивнул, <cue 2>отметив</cue>, что <q 2 indirect>дождя нет</q>.<name 2="Лев Юдин"/>'
    ),
    "the ambassador, not who left a post": (
        "Прибыл посол <PER>Олег Ким</PER>. Шёл дождь. Стемнело. Заговорил бывший на посту министра <PER>Лев Юдин</PER>. "
        '<src name="Олег Ким">Посол</src> <cue>сказал</cue>: <q>«Да»</q>.'
    ),
    "a diplomat is a permanent representative": (
        "Прибыл постпред <PER>Лев Юдин</PER>. Его ждал <PER>Олег Ким</PER>. Шёл дождь. "
        '<src name="Лев Юдин">Дипломат</src> <cue>сказал</cue>: <q>«Да»</q>.'
    ),
    "an adjective of a place is small within": (
        '<src name="южнокорейские чиновники">Южнокорейские чиновники</src> <cue>сказали</cue>: <q>«Да»</q>.'
    ),
    "whose words somebody passes on": (
        '<q>«Да»</q>, — <cue>передаёт</cue> слова <src name="теннисистка">теннисистки</src> агентство.'
    ),
    "an organisation and its country": (
        "Доклад готовит <ORG>Министерство обороны</ORG> <LOC>России</LOC>. "
        'В <src name="Министерство обороны России">ведомстве</src> <cue>сказали</cue>, что <q indirect>дождя нет</q>.'
    ),
    "he, not the subject of a subordinate clause": (
        "Тренер <PER>Лев Юдин</PER> рассказал журналистам о матче, который выиграл <PER>Олег Ким</PER>. "
        '<q>«Да»</q>, — <cue>сказал</cue> <src name="Лев Юдин">он</src>.'
    ),
    "a newspaper that a pronoun means": (
        'Газета «Речь» вышла утром. По <src name="газета «Речь»">её</src> <cue>данным</cue>, <q indirect>лов закрыт</q>.'
    ),
    "a paper beside the cue": (
        '<src 1 name="Лев Юдин"><PER>Лев Юдин</PER></src> <cue 1>сказал</cue>: <q 1>«Да»</q>. '
        '«<ORG>The Guardian</ORG>» <cue 2>пишет</cue>, что <q 2 indirect>лов закрыт</q>.<name 2="The Guardian"/>'
    ),
    "a noun that looks like an adjective": (
        '<cue>По словам</cue> <src name="Максим Шеин">главного стратега компании <PER>Максима Шеина</PER></src>, <q indirect>рубль жив</q>.'
    ),
    "more than half": (
        '<cue>По мнению</cue> <src name="более половины опрошенных">более половины опрошенных</src>, <q indirect>всё дорожает</q>.'
    ),
    "a verb that looks like an imperative": (
        '<PER>Анна Седова</PER> и <PER>Пётр Котов</PER> уехали. <src 1 name="Анна Седова и Пётр Котов"><PER>Седова</PER> и '
        "<PER>Котов</PER></src> <cue 1>уверяют</cue>, что <q 1 indirect>бюджет принят</q>, и <cue 2>пришли</cue> к выводу, что "
        '<q 2 indirect>он мал</q><name 2="Анна Седова и Пётр Котов"/>.'
    ),
    "as they say": (
        '<src 1 name="Вера Подгаецкая"><PER>Вера Подгаецкая</PER></src> <cue 1>сказала</cue>: <q 1>«Да»</q>. '
        "А, как <cue 2>говорится</cue>, <q 2>«тише едешь — дальше будешь»</q>."
    ),
    "a title of two letters": (
        "Министр РФ <PER>Иван Петров</PER> приехал в Пекин. Его принимал министр КНР <PER>Ли Вэй</PER>. "
        '<src name="Иван Петров">Министр РФ</src> <cue>сказал</cue>: <q>«Да»</q>.'
    ),
    "offices by their other names": (
        "Приехал пресс-секретарь президента <PER>Дмитрий Песков</PER>. Вышел и тренер <PER>Иван Котов</PER>. "
        '<src 1 name="Дмитрий Песков">Представитель Кремля</src> <cue 1>сказал</cue>: <q 1>«Да»</q>. '
        "Говорил представитель министерства обороны <PER>Игорь Седов</PER>. Слушал директор музея <PER>Олег Громов</PER>. "
        '<src 2 name="Игорь Седов">Представитель Минобороны</src> <cue 2>сказал</cue>: <q 2>«Да»</q>.'
    ),
    "one who has become president": (
        "Летом <PER>Лев Котов</PER> стал президентом Речной академии. Вышел и директор музея <PER>Иван Седов</PER>. "
        '<src name="Лев Котов">Президент академии</src> <cue>сказал</cue>: <q>«Да»</q>.'
    ),
    "members of a parliament": (
        "Прибыл депутат Рады <PER>Лев Котов</PER>. Вышел и директор музея <PER>Иван Седов</PER>. "
        '<src 1 name="Лев Котов">Нардеп</src> <cue 1>сказал</cue>: <q 1>«Да»</q>. Прибыл зампред комитета ГД <PER>Олег Громов</PER>. '
        'Вышел и тренер <PER>Пётр Чайка</PER>. <src 2 name="Олег Громов">Парламентарий</src> <cue 2>сказал</cue>: <q 2>«Да»</q>.'
    ),
    "offices by their kind": (
        "<ORG>Минобороны</ORG> ответило. <ORG>Роспотребнадзор</ORG> проверил <ORG>МИД</ORG>. "
        '<src 1 name="Роспотребнадзор">Санитарное ведомство</src> <cue 1>сообщило</cue>: <q 1>«Да»</q>. '
        'В <src 2 name="Минобороны">военном ведомстве</src> <cue 2>сообщили</cue>: <q 2>«Да»</q>.'
    ),
    "one document, not many": (
        "Вышел ежегодный доклад. Он занят жалобами, в нём публичные заявления. "
        'В <src name="ежегодный доклад">документе</src> <cue>говорится</cue>, что <q indirect>снег сойдёт</q>.'
    ),
    "a decree and what it is about": (
        "Президент подписал указ о награждении Эмира Кустурицы орденом. Указ вступил в силу, и он принял решение уехать. "
        'В <src name="указ о награждении Эмира Кустурицы орденом">документе</src> <cue>говорится</cue>, что <q indirect>снег сойдёт</q>.'
    ),
    "the draft of a decree": (
        "Готов проект указа «О льде», принятый вчера. "
        'В <src name="проект указа «О льде»">документе</src> <cue>говорится</cue>, что <q indirect>снег сойдёт</q>.'
    ),
    "a document of that title": (
        "Опубликован документ «О льде». Указов нет. "
        'В <src name="«О льде»">тексте</src> <cue>говорится</cue>, что <q indirect>снег сойдёт</q>.'
    ),
    "a decree to that effect": (
        'Президент подписал соответствующий указ. В <src name="указ">документе</src> <cue>говорится</cue>, что <q indirect>снег сойдёт</q>.'
    ),
    "his party is another one": (
        "Создана партия «Речная Россия». <PER>Лев Котов</PER> против. "
        '<src name="партия">Его партия</src> <cue>сообщила</cue>, что <q indirect>идёт дождь</q>.'
    ),
    "an outlet at the end of a sentence": (
        'Об этом пишет <ORG>Guardian</ORG>. <src name="Guardian">Издание</src> <cue>отмечает</cue>, что <q indirect>идёт дождь</q>.'
    ),
    "an outlet beside the name of another": (
        'О сделке пишет Guardian. <ORG>News Corp</ORG> <src name="Guardian">издание</src> <cue>назвало</cue> лучшей: <q>«Каков слог»</q>.'
    ),
    "the relatives of relatives": (
        '<src 1 name="родственники погибших">Родственники погибших</src> <cue 1>заявили</cue>: <q 1>«Да»</q>. '
        '<src 2 name="их родственники">Их родственники</src> <cue 2>добавили</cue>: <q 2>«Да»</q>.'
    ),
    "a relative clause says whose name it is": (
        "<PER>Мавджуда Рахимова</PER>, которая живёт в Москве, приехала с братом. Его зовут <PER>Лев Котов</PER>. "
        '<src name="Мавджуда Рахимова">Она</src> <cue>сказала</cue>: <q>«Да»</q>.'
    ),
    "a man is no woman": 'Приехала <PER>Алина Громова</PER>. <src name="мужчина">Мужчина</src> <cue>говорит</cue>: <q>«Да»</q>.',
    "a spouse may be a woman": (
        'Приехала <PER>Алла Громова</PER> с мужем. <src name="Алла Громова">Супруга</src> <cue>говорит</cue>: <q>«Да»</q>.'
    ),
    "a noun that says only what the name is": (
        '<cue 1>По данным</cue> <src 1 name="Acme">немецкого концерна <ORG>Acme</ORG></src>, <q 1 indirect>дождя нет</q>. '
        'Так <cue 2>пишет</cue> и <src 2 name="Rivers Inc.">интернет-издание <ORG>Rivers Inc.</ORG></src>: <q 2>«Да»</q>.'
    ),
    "a noun that the name needs": (
        '<src 1 name="данные сервиса Acme">Данные сервиса <ORG>Acme</ORG></src> <cue 1>говорят</cue>, что <q 1 indirect>дождя нет</q>. '
        'Так <cue 2>пишет</cue> и <src 2 name="государственное агентство КНДР">государственное агентство <LOC>КНДР</LOC></src>: '
        "<q 2>«Да»</q>."
    ),
    "such a noun within the name": (
        'Так <cue>пишет</cue> <src name="Газета Daily">казанская "<ORG>Газета Daily</ORG>"</src>: <q>«Да»</q>.'
    ),
    "marks around the end of a name": (
        '<src 1 name="активисты «Зари»">Сами активисты «<ORG>Зари</ORG>»</src> <cue 1>считают</cue>, что <q 1 indirect>дождя нет</q>. '
        '<src 2 name="«Заря»">Та же «<ORG>Заря</ORG>»</src> <cue 2>пишет</cue>: <q 2>«Да»</q>.'
    ),
    "the coalition": (
        'Правит правая коалиция. <src name="правая коалиция">Коалиция</src> <cue>заявила</cue>, что <q indirect>идёт дождь</q>.'
    ),
    "the paper that has spoken, not one without a name": (
        'Он дал интервью вечерней газете. <src 1 name="Речь">"<ORG>Речь</ORG>"</src> <cue 1>пишет</cue>, что <q 1 indirect>идёт снег</q>. '
        'По <cue 2>данным</cue> <src 2 name="Речь">газеты</src>, <q 2 indirect>снег сойдёт</q>.'
    ),
    "an outlet that specifies": (
        '<src 1 name="Forbes"><ORG>Forbes</ORG></src> <cue 1>уточняет</cue>, что <q 1 indirect>идёт снег</q>. '
        'По <cue 2>данным</cue> <src 2 name="Forbes">издания</src>, <q 2 indirect>снег сойдёт</q>.'
    ),
    "an outlet, not the name behind it": (
        'Как <cue 1>пишет</cue> <src 1 name="Газета Daily">"<ORG>Газета Daily</ORG>"</src>, <ORG>МНКТ</ORG> <q 1 indirect>растёт</q>. '
        'По <cue 2>данным</cue> <src 2 name="Газета Daily">издания</src>, <q 2 indirect>снег сойдёт</q>.'
    ),
    "the full name of what an office means": (
        "<ORG>МВД</ORG> <LOC>Украины</LOC> молчит. Затем <ORG>МВД</ORG> ответило. "
        'В <src name="МВД Украины">министерстве</src> <cue>сказали</cue>, что <q indirect>дождя нет</q>.'
    ),
    "the office of another country": (
        "<ORG>МИД</ORG> <LOC>России</LOC> молчит. Ответа от норвежского <ORG>МИД</ORG> нет. "
        'В <src name="норвежский МИД">ведомстве</src> <cue>сказали</cue>, что <q indirect>дождя нет</q>.'
    ),
    "a woman called by a man's noun": (
        "<PER>Анна Громова</PER> была ревизором. Её слушал <PER>Лев Юдин</PER>. "
        '<src name="Анна Громова">Бывшая ревизор</src> <cue>сказала</cue>: <q>«Да»</q>.'
    ),
    "whose staff and whose opponents": (
        'Задержан <PER>Лев Юдин</PER>. <src 1 name="защита Льва Юдина">Его защита</src> <cue 1>сказала</cue>: <q 1>«Да»</q>. '
        'Это дало <src 2 name="противники Льва Юдина">его противникам</src> повод <cue 2>сказать</cue>: <q 2>«Да»</q>.'
    ),
    "the only company near": (
        '<ORG>Google</ORG> делает игры. В <src name="Google">компании</src> <cue>уверены</cue>, что <q indirect>дождя нет</q>.'
    ),
    "the source of a paper somewhere": (
        'Причину источник "<ORG>Речи</ORG>" в полиции не назвал. '
        '<src name="источник &quot;Речи&quot; в полиции">Собеседник "<ORG>Речи</ORG>"</src> <cue>сказал</cue>: <q>«Да»</q>.'
    ),
    "the second of what was counted": (
        'В <src 1 name="первое письмо">первом письме</src> <cue 1>говорится</cue>, что <q 1 indirect>снег сойдёт</q>. '
        'Во <src 2 name="второе письмо">втором</src> <cue 2>говорится</cue>, что <q 2 indirect>дождя нет</q>.'
    ),
    "a declaration that was published": (
        '<cue>Согласно</cue> <src name="декларация">опубликованной декларации</src>, <q indirect>лов закрыт</q>.'
    ),
    "a bracket that a speaker leaves open": (
        '<cue>Согласно</cue> <src name="отчёты агентства">отчётам агентства (РЭА</src>, входит в банк), <q indirect>лов закрыт</q>.'
    ),
    "a preposition before a name in marks": (
        'Дела в "<ORG>Газпроме</ORG>" хороши. По <cue>данным</cue> <src name="Газпром">компании</src>, <q indirect>снег сойдёт</q>.'
    ),
    "the regional office of a service": (
        "Готовы данные регионального управления <ORG>Роспотребнадзора</ORG>. "
        'По <cue>данным</cue> <src name="региональное управление Роспотребнадзора">ведомства</src>, <q indirect>снег сойдёт</q>.'
    ),
    "the ministry of a region": (
        "Мост открыло <ORG>министерство транспорта</ORG> республики. "
        'По <cue>данным</cue> <src name="министерство транспорта республики">ведомства</src>, <q indirect>снег сойдёт</q>.'
    ),
    "the full name behind a noun": (
        "<ORG>Acme Software</ORG> подала иск. "
        '<src name="Acme Software">Компания <ORG>Acme</ORG></src> <cue>сказала</cue>, что <q indirect>дождя нет</q>.'
    ),
    "a site is not whose it is": (
        'Об этом <cue>говорится</cue> на <src name="официальный сайт ФСБ">официальном сайте <ORG>ФСБ</ORG></src>: <q>«Да»</q>.'
    ),
    "other media": (
        '<src 1 name="западные СМИ">Западные СМИ</src> <cue 1>пишут</cue>, что <q 1 indirect>дождя нет</q>. '
        'По <cue 2>сообщениям</cue> <src 2 name="СМИ">СМИ</src>, <q 2 indirect>снег сойдёт</q>.'
    ),
    "two names in one span": (
        "<PER>Дмитрий Песков</PER> промолчал. Дочь <PER>Пескова Елизавета</PER> приехала. "
        '<src name="Елизавета"><PER>Елизавета</PER></src> <cue>сказала</cue>: <q>«Да»</q>.'
    ),
    "a see before the name": (
        "Приехал митрополит Ханты-Мансийский и <PER>Няганский Фотий</PER>. "
        '<src name="Фотий">Владыка <PER>Фотий</PER></src> <cue>сказал</cue>: <q>«Да»</q>.'
    ),
    "whom an outlet talks to": (
        '<src 1 name="Олег Громов"><PER>Олег Громов</PER></src> <cue 1>сказал</cue>: <q 1>«Да»</q>, — а затем '
        '<src 2 name="Олег Громов">собеседник RT</src> <cue 2>добавил</cue>: <q 2>«Нет»</q>.'
    ),
    "the latter": (
        "<PER>Томас Хаммерберг</PER> приехал. <PER>Хаммерберг</PER> навестил <PER>Ису Сургуева</PER>. "
        '<src name="Иса Сургуев">Тот</src> <cue>сказал</cue>: <q>«Да»</q>.'
    ),
    "somebody told of by a noun": (
        "Указ подписал <PER>Олег Громов</PER>. Улицы опустели.\n\n33-летний житель села вышел во двор. "
        '<src name="33-летний житель села">Он</src> <cue>сказал</cue>, что <q indirect>ничего не знал</q>.'
    ),
    "a woman told of by more words": (
        'В полицию обратилась 71-летняя жительница района. <src name="71-летняя жительница района">Женщина</src> <cue>пояснила</cue>, '
        "что <q indirect>ей звонили</q>."
    ),
    "many told of by a noun": (
        "Приехал <PER>Олег Громов</PER>. Некоторые братья и сёстры певца подписали письмо, в котором "
        '<src name="некоторые братья и сёстры певца">они</src> <cue>утверждали</cue>, что <q indirect>документ подделан</q>.'
    ),
    "a noun that means somebody named tells of nobody else": (
        "Приехал министр <PER>Олег Громов</PER>. Министр осмотрел мост. "
        '<src name="Олег Громов">Он</src> <cue>сказал</cue>: <q>«Да»</q>.'
    ),
    "a noun in apposition tells of nobody else": (
        "Пришла <PER>Нина Вебер</PER>. Позвонила его дочь, пианистка <PER>Эмма Котова</PER>. "
        '<src name="Эмма Котова">Она</src> <cue>сказала</cue>: <q>«Да»</q>.'
    ),
    "the latter, of whom somebody has told": (
        '<src 1 name="Анна Мирошник"><PER>Анна Мирошник</PER></src> <cue 1>напоминает</cue>, что <q 1 indirect>нашли отпечаток '
        '<PER>Шепеля</PER></q>. <src 2 name="Шепель">Тот</src> <cue 2>кричит</cue>: <q 2>«Да»</q>.'
    ),
    "an office that nobody has been told to hold": (
        '<PER>Олег Громов</PER> открыл трактир. <PER>Лев Котов</PER> разбогател.\n\nОб этом знали все. '
        '<q>«Да»</q>, — <cue>написал</cue> <src name="журналист газеты «Волна»">журналист газеты «Волна»</src>.'
    ),
    "the actor who has just been told of": (
        "<PER>Лев Котов</PER> обвинил коллегу. <PER>Лев Котов</PER> ждал. <PER>Олег Громов</PER> ответил в Twitter. Он извинился. "
        '<src name="Олег Громов">Актёр</src> <cue>признался</cue>, что <q indirect>устал</q>.'
    ),
    "who has come since somebody spoke": (
        '<q 1>«Да»</q>, — <cue 1>сказала</cue> <src 1 name="Анна Петрова"><PER>Анна Петрова</PER></src>.\n\n'
        'Входит тренер <PER>Инга Рольф</PER>. <q 2>«Не верьте ей»</q>, — <cue 2>предупреждает</cue> и исчезает.<name 2="Инга Рольф"/>'
    ),
    "information that is nobody's": (
        '<q 1>«Да»</q>, — <cue 1>сказала</cue> <src 1 name="Анна Петрова"><PER>Анна Петрова</PER></src>. '
        "<cue 2>По имеющейся информации</cue>, <q 2 indirect>дождь пройдёт</q>."
    ),
    "who is presented in the paragraph before": (
        '<q 1>«Да»</q>, — <cue 1>сказала</cue> <src 1 name="Анна Петрова"><PER>Анна Петрова</PER></src>.\n\n'
        '<PER>Олег Громов</PER>, адвокат, живёт в Твери.\n\n<q 2>«Нам трудно»</q>.<name 2="Олег Громов"/>'
    ),
    "who has been told of by a pronoun": (
        "Певица <PER>Анна Петрова</PER> пришла в группу. За певицей <PER>Ниной Котовой</PER> пришла и она. Но она в туре не участвует. "
        '<cue>Как сообщала</cue> <src name="Анна Петрова">сама певица</src>, <q indirect>она больна</q>.'
    ),
    "the name with госпожа before it": (
        'Ждали, когда придёт <PER>Лю Мэйлин</PER>. <src name="Лю Мэйлин">Госпожа <PER>Лю</PER></src> <cue>говорит</cue>: <q>«Да»</q>.'
    ),
    "a man's genitive is no nominative": (
        "<PER>Ник Дадашев</PER> проиграл. Прошёл год. Шёл дождь. <PER>Иван Орлов</PER> узнал о смерти <PER>Дадашева</PER>. "
        '<src name="Иван Орлов">Он</src> <cue>сказал</cue>: <q>«Да»</q>.'
    ),
    "a pronoun means rather a man than who may be one": (
        "Не приехал <PER>Дональд Трамп</PER>. Ждали <PER>Хиллари Клинтон</PER>. "
        '<src name="Дональд Трамп">Он</src> <cue>сказал</cue>: <q>«Да»</q>.'
    ),
    "who asks does not answer": (
        '<q 1>«Пора?»</q> — <cue 1>спросил</cue> <src 1 name="Олег Громов">дипломат <PER>Олег Громов</PER></src> '
        "посла <PER>Льва Котова</PER>. "
        '<q 2>«Да»</q>, — <cue 2>ответил</cue> <src 2 name="Лев Котов">дипломат</src>.'
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NAMES)
def test_speakers_are_named_as_a_reader_names_them(case):
    gold = parse(NAMES[case])
    assert resolved(gold) == [quote.name for quote in gold.quotes]


@pytest.mark.parametrize(
    "told, said, name",
    [
        ("Представитель <PER>Кейт Миддлтон</PER> заявил о болезни", "она", "Кейт Миддлтон"),
        ("Знакомый <PER>Кейт Миддлтон</PER> рассказал о болезни", "она", "Кейт Миддлтон"),
        ("Режиссёр снял <PER>Николь Кидман</PER>", "она", "Николь Кидман"),
        ("<PER>Карл Шульц</PER> приехал", "тренер <PER>Шольц</PER>", "Шольц"),
        ("<PER>Эрик Ротенберг</PER> приехал", "<PER>Розенберг</PER>", "Розенберг"),
        ("<PER>Владимир Кравчик</PER> приехал", "президент <PER>Кравчук</PER>", "Кравчук"),
        ("Матч выиграл <ORG>Спартак Кострома</ORG>", "<ORG>СК</ORG>", "СК"),
        ("Открыт <ORG>Центр безопасности</ORG>", "<ORG>ЦБ</ORG>", "ЦБ"),
    ],
)
def test_likeness_is_not_enough(told, said, name):
    gold = parse(f'{told}. <q>«Да»</q>, — <cue>сказал{"а" * (said == "она")}</cue> <src name="{name}">{said}</src>.')
    assert resolved(gold) == [name]


def test_there_is_not_where_somebody_has_gone_since():
    for place in ("больницу", "Китай"):
        gold = parse(f"<PER>Иванов</PER> из <ORG>Газпрома</ORG> уехал в {place}. Там <cue>рассказали</cue>, что <q indirect>он умер</q>.")
        assert resolved(gold) == [None]
    assert resolved(parse("Сайт <ORG>»</ORG> закрыт. Там <cue>сообщили</cue>, что <q indirect>он умер</q>.")) == [None]


def test_a_caption_signs_nothing():
    for line in ("<PER>Владимир Путин</PER> на встрече с журналистами", "<PER>Си Цзиньпин</PER> встретил делегацию"):
        assert resolved(parse(f"Так <cue>считаю</cue> <src>я</src>, <q indirect>надо ехать</q>.\n{line}")) == [None]


@pytest.mark.parametrize(
    "case", ["a full name", "a surname", "initials with a space", "initials alone", "he", "she, not he", "who spoke last"]
)
def test_names_are_found_where_there_are_no_entities(case):
    gold = replace(parse(NAMES[case]), entities=())
    assert resolved(gold) == [quote.name for quote in gold.quotes]


def test_interviews_in_every_layout():
    articles = list(formats.read(ROOT / "data/interviews/train.jsonl"))
    assert len(articles) == 12
    wrong = [(article.id, i) for article in articles for i, name in enumerate(resolved(article)) if name != article.quotes[i].name]
    assert wrong == [("i-004", 1)], "what a paragraph in marks says before anybody has asked"


QUESTIONS = "\n\n".join(
    f'— <q {i}>{words}</q><name {i}="{{{side}}}"/>'
    for i, (words, side) in enumerate(
        (
            ("Страшно?", "host"),
            ("Нет.", "guest"),
            ("Почему?!", "host"),
            ("Лев Юдин, конечно.", "guest"),
            ("А зимой?..", "host"),
            ("Да.", "guest"),
        )
    )
)
LEADS = {
    "О мостах рассказывает ведущий инженер <PER>Вера Юсупова</PER>.": ("Вера Юсупова", ""),
    "О мостах, которые строил <PER>Лев Юдин</PER>, рассказывает главный редактор журнала <PER>Вера Юсупова</PER>.": ("Вера Юсупова", ""),
    "В интервью корреспонденту «<ORG>Речной газеты</ORG>» <PER>Вера Юсупова</PER> рассказала о <PER>Льве Юдине</PER>.": (
        "Вера Юсупова", "«Речная газета»"
    ),
    "Корреспондент «<ORG>Речной газеты</ORG>» <PER>Инна Кравец</PER> встретилась с <PER>Верой Юсуповой</PER>.": (
        "Вера Юсупова", "Инна Кравец"
    ),
    "Мы поговорили с журналистом <PER>Ильёй Азаровым</PER> о войне.": ("Илья Азаров", ""),
    "<PER>Вера Юсупова</PER> ответила на вопросы обозревателя «<ORG>Речной газеты</ORG>» <PER>Артёма Орлова</PER>.": (
        "Вера Юсупова", "Артём Орлов"
    ),
    "Мост строит <PER>Вера Юсупова</PER>. С ней встретился корреспондент «<ORG>Речной газеты</ORG>» <PER>Артём Орлов</PER>.": (
        "Вера Юсупова", "Артём Орлов"
    ),
    "Наша гостья — ведущая <PER>Татьяна Лазарева</PER>.": ("Татьяна Лазарева", ""),
    "<PER>Олег Ким</PER> ищет убийц журналиста <PER>Павла Шереметова</PER>. <PER>Ким</PER> ответил на вопросы.": ("Олег Ким", ""),
    "Как рассказал «<ORG>Речной газете</ORG>» инспектор <PER>Лев Юдин</PER>, мост закрыт. Мы расспросили <PER>Олега Кима</PER>.": (
        "", "«Речная газета»"
    ),
    "Газета «<ORG>Речная газета</ORG>» назвала <PER>Веру Юсупову</PER> лучшей.": ("Вера Юсупова", ""),
    "<PER>Вера Юсупова</PER> построила мост. Сегодня он носит имя <PER>Льва Юдина</PER>.": ("", ""),
}  # fmt: skip


@pytest.mark.parametrize("ends", ["\n", "\r\n", " \n"])
@pytest.mark.parametrize("lead", LEADS)
def test_the_sides_of_an_interview_by_its_lead(lead, ends):
    guest, host = LEADS[lead]
    gold = parse(f"{lead}\n\n{QUESTIONS}".format(guest=guest, host=host).replace("\n", ends))
    assert [name or "" for name in resolved(gold)] == [quote.name or "" for quote in gold.quotes]


NO_INTERVIEWS = {
    "a speech in questions": (
        '<src 1 name="Олег Ким"><PER>Олег Ким</PER></src> <cue 1>спросил</cue>: <q 1>«Доколе?»</q>. Рядом стоял <PER>Лев Юдин</PER>.\n\n'
        '— <q 2>Кто виноват?</q><name 2="Олег Ким"/>\n\n— <q 3>Куда бежать?</q><name 3="Олег Ким"/>\n\n'
        '— <q 4>Зачем?</q><name 4="Олег Ким"/>'
    ),
    "a digest of opinions": (
        '<src 1 name="Иван Петров"><PER>Иван Петров</PER></src>: <q 1>«Зачем?»</q>\n\n'
        '<src 2 name="Олег Ким"><PER>Олег Ким</PER></src>: <q 2>«Можно».</q>\n\n'
        '<src 3 name="Яна Седова"><PER>Яна Седова</PER></src>: <q 3>«Нет».</q>\n\n'
        '<src 4>Я</src> <cue 4>думаю</cue>, что <q 4 indirect>всё будет</q>. '
        '<src 5 name="Яна Седова">Она</src> <cue 5>добавила</cue>: <q 5>«Нет»</q>.'
    ),
    "what the guest has answered somebody else": (
        'С <PER>Львом Юдиным</PER> беседует <PER>Инна Кравец</PER>.\n\n— <q 1>Страшно?</q><name 1="Инна Кравец"/>\n\n'
        '— <q 2>Нет.</q><name 2="Лев Юдин"/>\n\n— <q 3>А зимой?</q><name 3="Инна Кравец"/>\n\n— <q 4>Нет.</q><name 4="Лев Юдин"/>\n\n'
        '— <q 6>А в горах?</q><name 6="Инна Кравец"/>\n\n— Друг звал, <src 5>я</src> <cue 5>ответил</cue>: <q 5>«Не хочу»</q>.'
    ),
    "whose words a digest goes on with": (
        '<src 1 name="Иван Петров"><PER>Иван Петров</PER></src>: <q 1>Доколе?</q>\n\n'
        '<src 2 name="Олег Ким"><PER>Олег Ким</PER></src>: <q 2>Кто виноват?</q>\n\n'
        '<src 3 name="Яна Седова"><PER>Яна Седова</PER></src>: <q 3>Нет.</q>\n\n<q 4>«Завтра увидим».</q><name 4="Яна Седова"/>\n\n'
        '<src 5 name="Лев Юдин"><PER>Лев Юдин</PER></src>: <q 5>Да.</q>\n\n<q 6>«И хорошо».</q><name 6="Лев Юдин"/>'
    ),
    "whom an answer tells of": (
        'О мостах рассказывает <PER>Глеб Орлов</PER>.\n\n— <q 1>Страшно?</q>\n\n— <q 2>Нет.</q><name 2="Глеб Орлов"/>\n\n'
        '— <q 3>А зимой?</q>\n\n— <q 4>Нет.</q><name 4="Глеб Орлов"/>\n\n— <q 5>А <PER>Рустам Ким</PER>?</q>\n\n'
        '— Он посмотрел, и <src 6 name="Рустам Ким">он</src> <cue 6>говорит</cue>: <q 6>«Скользко».</q>'
    ),
    "several who ask": (
        "На вопросы ответил <PER>Олег Ким</PER>.\n\n"
        '— <q 1>Будет налог?</q> — <cue 1>спросила</cue> <src 1 name="Анна Седова"><PER>Анна Седова</PER></src>.\n\n'
        '— <q 2>Нет.</q><name 2="Олег Ким"/>\n\n— <q 3>А пошлина?</q>\n\n— <q 4>Нет.</q><name 4="Олег Ким"/>\n\n'
        '— <q 5>А сбор?</q> — <cue 5>спросил</cue> <src 5 name="Лев Юдин"><PER>Лев Юдин</PER></src>.\n\n— <q 6>Нет.</q><name 6="Олег Ким"/>'
    ),
    "a surname is no call": (
        '<PER>Олег Ким</PER> ответил на вопросы.\n\n— <q 1>Кто сильнее?</q>\n\n'
        '— <q 2><PER>Трамп</PER>, безусловно, сильнее.</q><name 2="Олег Ким"/>\n\n'
        '— <q 3>А кто слабее?</q>\n\n— <q 4>Никто.</q><name 4="Олег Ким"/>\n\n— <q 5>И что?</q>\n\n'
        '— <q 6><PER>Трамп</PER>, думаю, проиграет.</q><name 6="Олег Ким"/>'
    ),
    "a letter that came": (
        'После разговора с <PER>Львом Юдиным</PER>.\n\n— <q 1>Страшно?</q>\n\n— <q 2>Нет.</q><name 2="Лев Юдин"/>\n\n'
        '— <q 3>А зимой?</q>\n\n— <q 4>Нет.</q><name 4="Лев Юдин"/>\n\n'
        'Пришло письмо. В <src 5 name="письмо">нём</src> <cue 5>сказано</cue>: <q 5>«Мост закрыт»</q>.'
    ),
    "a question of the court": (
        '— <q 1>Вину признаёте?</q> — <cue 1>спросила</cue> <src 1 name="Алия Юсупова">судья <PER>Алия Юсупова</PER></src>.\n\n'
        "— <q 2>Да.</q>"
    ),
    "labels that call nobody": "<PER>Лев Юдин</PER> пришёл. <src 1>Корр.</src>: <q 1>Страшно?</q>",
    "initials of two": (
        "<PER>Владимир Путин</PER> молчал. <PER>Вера Петрова</PER> тоже.\n\n"
        '<src 1 name="В. П."><PER>В. П.</PER></src>: <q 1>Кто?</q>\n\n<src 2 name="Инна Ким"><PER>И. К.</PER></src>: <q 2>Я.</q>\n\n'
        '<src 3 name="В. П."><PER>В. П.</PER></src>: <q 3>Где?</q>\n\nТак ответила <PER>Инна Ким</PER>.'
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NO_INTERVIEWS)
def test_what_looks_like_an_interview_and_is_none(case):
    gold = parse(NO_INTERVIEWS[case])
    assert resolved(gold) == [quote.name for quote in gold.quotes]


def test_the_seed_article():
    (seed,) = formats.read(ROOT / "seeds" / "almaty-2017.ann")
    assert resolved(seed) == ["Нурсултан Назарбаев", "Нурсултан Назарбаев", "Владимир Путин"]


def test_other_labels_of_persons_and_places_are_understood():
    gold = parse(NAMES["the office and the place"])
    nerel = {"PER": "PERSON", "LOC": "COUNTRY"}
    renamed = [replace(span, label=nerel[span.label]) for span in gold.entities]
    assert [quote.name for quote in names.resolve(gold.text, renamed, nameless(gold))] == [gold.quotes[0].name]


READINGS = {
    "Анне Петровой": "Анна Петрова",
    "Нурсултаном Назарбаевым": "Нурсултан Назарбаев",
    "Н. Назарбаевым": "Н. Назарбаев",
    "Юрия Чайки": "Юрий Чайка",
    "Льва Толстого": "Лев Толстой",
    "Наили Хабировны Шайдуллиной": "Наиля Хабировна Шайдуллина",
    "Арчила Талаквадзе": "Арчил Талаквадзе",
    "Хиллари Клинтон": "Хиллари Клинтон",
    "Барака Обамы": "Барак Обама",
    "Абделя аль-Масри": "Абдель аль-Масри",
    "Чаком Перкинсом": "Чак Перкинс",
    "Турбьёрном Ягландом": "Турбьёрн Ягланд",
    "Ким Чен Ына": "Ким Чен Ын",
    "Пак Кын Хе": "Пак Кын Хе",
    "Юн Сун Бина": "Юн Сун Бин",
    "Руменом Радевым": "Румен Радев",
    "Антониу Гутеррешем": "Антониу Гутерреш",
    "Богуслава Соботки": "Богуслав Соботка",
    "Галину Юркову-Данелия": "Галина Юркова-Данелия",
    "Фатимы Аль-Али": "Фатима Аль-Али",
    "Абу Умара": "Абу Умар",
    "Джона МакКейна": "Джон МакКейн",
}


@pytest.mark.parametrize("name", READINGS)
def test_a_name_is_read_as_a_whole(name):
    assert " ".join(declension.name_readings(tuple(name.split()))[0].nominative) == READINGS[name]


PHRASES = {
    "региональном Минстрое": "региональный Минстрой",
    "следственного управления СК РФ": "следственное управление СК РФ",
    "официальных лиц": "официальные лица",
    "потерпевшей": "потерпевшая",
    "августовскому акту природоохранной прокуратуры": "августовский акт природоохранной прокуратуры",
    "пяти депутатов": "пять депутатов",
    "Высшей школы экономики": "Высшая школа экономики",
    "риэлторов": "риэлторы",
}


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_phrase_is_put_into_the_nominative(phrase):
    words = phrase.split()
    head = morphology.find_head(words, morphology.CASES - {"nomn", "accs"})
    assert head is not None and " ".join(morphology.to_nominative(words, head)) == PHRASES[phrase]


def test_names_are_found_by_capitals_initials_and_the_dictionary():
    text = "Премьер-министр Иван Петров встретил в Москве В. Орлову и Сюй Цзяньго. Затем Петров уехал. Вечером шёл дождь."
    assert [text[span.start : span.end] for span in find_names(text)] == ["Иван Петров", "В. Орлову", "Сюй Цзяньго", "Петров"]


def test_any_article_keeps_its_quotations_and_gets_scores():
    for seed in range(300):
        article = random_article(Random(seed), crossing=True)
        found = names.resolve(article.text, article.entities, article.quotes)
        assert [replace(quote, name=None, name_score=None) for quote in found] == nameless(article)
        assert all(quote.name_score is not None and 0 <= quote.name_score <= 1 and quote.name != "" for quote in found)
        assert names.resolve(article.text, article.entities, found) == found
        assert names.resolve(article.text, (), article.quotes) == names.resolve(article.text, (), found)


def test_no_quotations_no_names():
    assert names.resolve("", (), ()) == ()
    assert names.resolve("Иван Петров пришёл.", (Span(0, 11, "PER"),), ()) == ()


@pytest.mark.parametrize("name", ["Ха" + "-ха" * 3000, "А" * 3000, "А." * 3000, "Анна " * 3000 + "Ли", "Анна" + " ван" * 3000 + " Ли"])
def test_a_name_may_be_absurdly_long(name):
    quote = Quote("direct", (Span(len(name) + 10, len(name) + 12, "DIRECT"),), None, Span(0, len(name), "SPEAKER"))
    for entities in ((), (Span(0, len(name), "PER"),)):
        (found,) = names.resolve(f"{name} сказал:  Да", entities, [quote])
        assert found.name


def test_only_the_name_counts_of_an_entity_that_holds_more():
    text = "Бен Кон  (Ben Kohn) сказал"
    quote = Quote("direct", (Span(20, 26, "DIRECT"),), None, Span(0, 19, "SPEAKER"))
    assert names.resolve(text, [Span(0, 19, "PER")], [quote])[0].name == "Бен Кон"


def test_a_gap_within_an_entity_takes_time_in_proportion():
    text = "Иван" + " " * 60_000 + "Петров"
    begun = time.process_time()
    quote = Quote("direct", (Span(0, 4, "DIRECT"),), None, Span(0, len(text), "SPEAKER"))
    assert names.resolve(text, [Span(0, len(text), "PER")], [quote])[0].name == "Иван Петров"
    assert time.process_time() - begun < 5


def test_a_list_of_namesakes_takes_time_in_proportion():
    syllables = ["ба", "ко", "ре", "ми", "зу", "та", "вел", "ган", "дор", "пир"]
    surnames = [f"{a}{b}{c}ов".capitalize() for a in syllables for b in syllables for c in syllables]
    text = ", ".join(f"Иван {surname}" for surname in surnames) + ". Он ждёт"
    persons = [Span(match.start(), match.end(), "PER") for match in re.finditer("Иван \\w+", text)]
    quote = Quote("direct", (Span(len(text) - 4, len(text), "DIRECT"),), None, Span(len(text) - 7, len(text) - 5, "SPEAKER"))
    begun = time.process_time()
    assert names.resolve(text, persons, [quote])[0].name == f"Иван {surnames[-1]}"
    assert time.process_time() - begun < 10


LONG = (
    '<PER>Иван Петров</PER> пришёл. <q>«Да»</q>, — <cue>сказал</cue> <src name="Иван Петров">он</src>.\n',
    'Писал <ORG>Росстат</ORG>. В <src name="ведомство">ведомстве</src> <cue>заявили</cue>, что <q indirect>цены растут</q>.\n',
)


@pytest.mark.parametrize("line", LONG)
def test_a_long_article_takes_time_in_proportion(line):
    gold = parse(line)
    count, length = 10_000, len(gold.text)
    entities = [shifted(span, length * i) for i in range(count) for span in gold.entities]
    quotes = [moved(gold.quotes[0], length * i) for i in range(count)]
    begun = time.process_time()
    found = names.resolve(gold.text * count, entities, quotes)
    assert time.process_time() - begun < 10
    assert len({quote.name for quote in found}) == 1


def test_turns_of_many_marks_and_many_pronouns_take_time_in_proportion():
    turns = "\n\n".join(["— Да?", "— Нет."] * 3)
    for text in (f"{turns}\n\n— Ну{'?' * 30_000}а\n\n— Да.", f"{turns}\n\n" + "Лодка. «Лев Юдин был прав», — добавила она.\n" * 8000):
        quotes = [Quote("direct", (Span(m.start(1), m.end(1), "DIRECT"),)) for m in re.finditer("^— (.*)$", text, re.M)]
        quotes += [
            Quote(
                "direct",
                (Span(m.start(1), m.end(1), "DIRECT"),),
                Span(m.end(1) + 4, m.end(1) + 12, "CUE"),
                Span(m.end() - 4, m.end() - 1, "SPEAKER"),
            )
            for m in re.finditer("(«Лев Юдин был прав»), — добавила она.", text)
        ]
        persons = [Span(match.start(), match.end(), "PER") for match in re.finditer("Лев Юдин", text)]
        begun = time.process_time()
        assert len(names.resolve(text, persons, quotes)) == len(quotes)
        assert time.process_time() - begun < 5


def test_an_interview_takes_time_in_proportion():
    turns = [f"{who}: {words}" for i in range(5000) for who, words in (("«РГ»", f"Вера, верно ли {i}?"), ("В. Ю.", f"Лев, верно {i}."))]
    text = "\n\n".join(["В «Речную газету» пришла Вера Юсупова.", *turns])
    starts = [match.end() for match in re.finditer("\n\n", text)]
    quotes = [
        Quote("direct", (Span(text.index(":", start) + 2, text.index("\n", start) if i < 9999 else len(text), "DIRECT"),), None,
              Span(start, text.index(":", start), "SPEAKER"))
        for i, start in enumerate(starts)
    ]  # fmt: skip
    persons = [Span(match.start(), match.end(), "PER") for match in re.finditer("Вера Юсупова|Вера|В\\. Ю\\.|Лев", text)]
    begun = time.process_time()
    found = names.resolve(text, [Span(3, 16, "ORG"), *persons], quotes)
    assert time.process_time() - begun < 5
    assert [quote.name for quote in found] == ["«Речная газета»", "Вера Юсупова"] * 5000


def shifted(span: Span, by: int) -> Span:
    return replace(span, start=span.start + by, end=span.end + by)


def moved(quote: Quote, by: int) -> Quote:
    assert quote.cue and quote.speaker
    return replace(
        quote, content=tuple(shifted(span, by) for span in quote.content), cue=shifted(quote.cue, by), speaker=shifted(quote.speaker, by)
    )


def test_the_dictionary_is_loaded_when_somebody_asks():
    code = "import sys, govorit.names; assert 'pymorphy3' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(ROOT / "train")})


def test_examples():
    assert doctest.testmod(names).failed == 0 and doctest.testmod(declension).failed == 0
