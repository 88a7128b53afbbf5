"""Headings nobody has told us of, held against those that profiles know: spelt together, shortened, or longer."""

import re
from dataclasses import dataclass
from functools import lru_cache

from caseferry.mapping.headings import normal
from caseferry.mapping.profile import known_sources, load_profile
from caseferry.records import RECORDS

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)")
_SHORT = {
    "nm": "name", "firstname": "first name", "lastname": "last name", "dt": "date", "num": "no", "nr": "no",
    "number": "no", "nbr": "no", "addr": "address", "tel": "phone", "telephone": "phone", "ph": "phone", "cell": "mobile", "amt": "amount", "desc": "description",
    "descr": "description", "hrs": "hours", "hr": "hours", "mins": "minutes", "cli": "client", "clnt": "client", "cust": "client", "customer": "client",
    "mat": "matter", "mtr": "matter", "case": "matter", "file": "matter", "project": "matter", "atty": "attorney", "resp": "responsible", "eml": "email", "mail": "email",
    "org": "company", "organisation": "company", "organization": "company", "business": "company", "firm": "company", "co": "company", "dob": "birth", "born": "birth",
    "birthdate": "birth", "birthday": "birth", "bal": "balance", "inv": "invoice", "bill": "invoice", "stat": "status", "zip": "postcode", "postal": "postcode", "postalcode": "postcode", "zipcode": "postcode",
    "opened": "open", "closed": "close", "created": "create", "surname": "last name", "forename": "first name", "narrative": "description", "narr": "description", "details": "description",
    "ref": "no", "reference": "no", "id": "no", "timekeeper": "staff", "tkpr": "staff", "tk": "staff", "lawyer": "attorney", "solicitor": "attorney", "handler": "staff", "emp": "staff", "employee": "staff",
} | {
    "fremdgeld": "trust balance", "anderkonto": "trust balance", "escrow": "trust", "iolta": "trust", "tr": "trust", "fiducie": "trust", "fideicomiso": "trust", "mdt": "client",
    "clt": "client", "opn": "open", "cls": "close", "who": "staff", "narration": "description", "minutes": "minutes", "rate": "rate", "hourly": "rate", "due": "due",
    "rt": "rate", "os": "outstanding", "pd": "paid", "wrk": "work", "aty": "attorney", "rsp": "responsible", "job": "matter", "dur": "hours", "duration": "hours",
    "dauer": "hours", "std": "hours", "satz": "rate", "sb": "staff", "sachbearbeiter": "staff", "tätigkeit": "description", "az": "matter no", "kurzrubrum": "description",
    "fremdgeldsaldo": "trust balance", "offener": "outstanding", "angelegt": "open", "abgelegt": "close", "fällig": "due", "rechnungsdatum": "invoice date", "rechnungsbetrag": "total",
    "gegner": "other side", "adrnr": "no", "plz/ort": "postcode city", "expediente": "matter no", "letrado": "staff", "abogado": "attorney", "minutos": "minutes", "concepto": "description",
    "pendiente": "outstanding", "minuta": "invoice", "código": "no", "cód": "no", "abierto": "open", "cerrado": "close", "estado": "status", "descripción": "description",
    "durée": "hours", "temps": "hours", "avocat": "attorney", "taux": "rate", "libellé": "description", "objet": "description", "solde": "balance", "restant": "outstanding",
    "facture": "invoice", "collaborateur": "staff", "ouvert": "open", "ouverture": "open", "clôture": "close", "état": "status", "statut": "status",
    "nachname": "last name", "vorname": "first name", "geburtsdatum": "birth", "ort": "city", "stadt": "city", "kunde": "client", "kundennr": "client no", "mandant": "client",
    "akte": "matter", "aktenzeichen": "matter no", "saldo": "balance", "offen": "outstanding", "datum": "date", "stunden": "hours", "betrag": "amount", "strasse": "street", "straße": "street",
    "plz": "postcode", "telefon": "phone", "handy": "mobile", "debitor": "client", "rechnung": "invoice", "beschreibung": "description", "firma": "company", "land": "country", "anwalt": "attorney",
    "nom": "last name", "prénom": "first name", "prenom": "first name", "ville": "city", "société": "company", "dossier": "matter", "téléphone": "phone", "courriel": "email", "heures": "hours",
    "montant": "amount", "adresse": "address", "apellido": "last name", "apellidos": "last name", "nombre": "first name", "ciudad": "city", "cliente": "client", "teléfono": "phone", "correo": "email",
    "fecha": "date", "horas": "hours", "importe": "amount", "asunto": "matter", "dirección": "address",
} | {
    "naam": "name", "voornaam": "first name", "achternaam": "last name", "geboortedatum": "birth", "adres": "address", "straat": "street", "plaats": "city", "woonplaats": "city",
    "telefoon": "phone", "mobiel": "mobile", "bedrijf": "company", "bedrijfsnaam": "company", "relatie": "client", "relatienr": "client no", "cliënt": "client", "klant": "client",
    "klantnr": "client no", "dossiernr": "matter no", "dossiernummer": "matter no", "zaak": "matter", "zaaknr": "matter no", "omschrijving": "description", "toelichting": "description",
    "geopend": "open", "gesloten": "close", "behandelaar": "staff", "advocaat": "attorney", "uren": "hours", "tarief": "rate", "bedrag": "amount", "factuur": "invoice",
    "factuurnr": "invoice no", "openstaand": "outstanding", "derdengelden": "trust balance", "wederpartij": "other side", "vervaldatum": "due",
    "cognome": "last name", "nome": "first name", "pratica": "matter", "oggetto": "description", "descrizione": "description", "data": "date", "ore": "hours", "tariffa": "rate",
    "importo": "amount", "avvocato": "attorney", "telefono": "phone", "cellulare": "mobile", "indirizzo": "address", "città": "city", "fattura": "invoice", "scadenza": "due",
    "aperta": "open", "chiusa": "close", "stato": "status", "controparte": "other side", "sobrenome": "last name", "processo": "matter", "advogado": "attorney", "endereço": "address",
    "cidade": "city", "telefone": "phone", "celular": "mobile", "valor": "amount", "descrição": "description", "fatura": "invoice", "vencimento": "due", "empresa": "company", "situação": "status",
}  # fmt: skip
_BRACKETS = re.compile(r"\([^)]*\)")
_ONE_LETTER = re.compile(r"\b([flm]) ?name\b")
_FILLERS = {"of", "the", "a", "an", "s", "and", "or", "on", "in", "for", "1"}


@dataclass(frozen=True)
class Likeness:
    """How like a known heading of a field another is, from 0 to 1, and why."""

    field: str
    share: float
    reason: str


def is_known(heading: str) -> bool:
    """True if the heading means something in some record, in so many words."""
    return any(like.share >= 0.9 for record in RECORDS for like in likenesses(record, heading)[:1])


def words_in(heading: str) -> tuple[str, ...]:
    """`ClientLName` and `client last name` have the same words."""
    text = normal(_CAMEL.sub(" ", _BRACKETS.sub(" ", heading).replace("_", " ")))
    text = _ONE_LETTER.sub(lambda found: {"f": "first name", "l": "last name", "m": "middle name"}[found.group(1)], text)
    if text == "st":
        text = "state"
    long = (word for short in text.split() for word in _SHORT.get(short, short).split())
    return tuple(word for word in long if word not in _FILLERS)


def names_in(text: str) -> frozenset[str]:
    """The words of a heading or a list's name that say of whom: not that it is a number."""
    return frozenset(word if len(word) < 4 else word.rstrip("s") for word in words_in(text)) - _TELLS_NOTHING


@lru_cache
def _known() -> dict[str, dict[str, tuple[str, str]]]:
    """Of each record: heading → field, and the product whose heading it is."""
    found: dict[str, dict[str, tuple[str, str]]] = {record: {} for record in RECORDS}
    for source in ("leap", *(name for name in known_sources() if name != "leap")):
        profile = load_profile(source)
        for name, table in profile.tables.items():
            for heading, use in profile.headings(name).items():
                if use and ":" not in use and not table.exclusion:
                    found[table.record].setdefault(heading, (use, profile.product))
    return found


@lru_cache
def _by_words(record: str) -> dict[frozenset[str], str]:
    found: dict[frozenset[str], str] = {}
    for heading, (name, _) in _known()[record].items():
        found.setdefault(frozenset(words_in(heading)), name)
    for field in RECORDS[record].fields:
        found.setdefault(frozenset(words_in(field.name)), field.name)
    found.pop(frozenset(), None)
    return found


@lru_cache(maxsize=4096)
def likenesses(record: str, heading: str) -> tuple[Likeness, ...]:
    """The fields of a record a heading may mean, likeliest first, one reading of each."""
    plain = normal(heading)
    if plain in _known()[record]:
        field, product = _known()[record][plain]
        return (Likeness(field, 1.0, f"{product} calls it so"),)
    words = frozenset(words_in(heading))
    best: dict[str, Likeness] = {}
    for known, field in _by_words(record).items():
        common = known & words
        if not common or (common == _TELLS_NOTHING and known != words):
            continue
        share = 0.95 if known == words else 0.85 * len(common) / len(known | words)
        if share >= _LEAST and share > (best[field].share if field in best else 0):
            reason = "the same words" if known == words else f"shares {', '.join(sorted(common))}"
            best[field] = Likeness(field, round(share, 2), reason)
    return tuple(sorted(best.values(), key=lambda one: (-one.share, one.field)))


_LEAST = 0.4
_TELLS_NOTHING = frozenset({"no"})
"""What every id is headed with, whosever it is."""
