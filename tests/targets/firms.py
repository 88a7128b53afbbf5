"""Small firms that the tests of mapped targets share, and the targets' names."""

from caseferry.mapping.mapped import is_mapped
from caseferry.mapping.target import TARGETS

MAPPED = sorted(path.stem for path in TARGETS.glob("*.yaml") if is_mapped(path.stem))
CARDS = "Card Name,First Name,Last Name,Organisation,Email,Mobile,Street,City,Email Consent,Email Opt Out\n"
JOHN = '"Smith, John",John,Smith,,john@x.example,0412 345 678,1 High St,Leeds,,\n'
ANN = '"Able, Ann",Ann,Able,,ann@x.example,,,,,\n'
DEBTORS = 'Matter No,Debtor Name,Outstanding\n24-0001,"Smith, John",100.10\n'
TRUST = 'Matter No,Client,Trust Balance\n24-0001,"Smith, John",55.55\n'
