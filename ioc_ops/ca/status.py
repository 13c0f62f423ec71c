"""ECA status codes (EPICS Base ``caerr.h``): number and severity packed into one integer."""

from enum import IntEnum

__all__ = ["Eca"]

_WARNING, _SUCCESS, _ERROR, _INFO, _FATAL = 0, 1, 2, 3, 2 | 4


def _code(severity: int, number: int) -> int:
    return number << 3 | severity


class Eca(IntEnum):
    """Status codes of protocol 4.13, those of clients included; the defunct ones are left out."""

    NORMAL = _code(_SUCCESS, 0)
    ALLOCMEM = _code(_WARNING, 6)
    TOLARGE = _code(_WARNING, 9)
    TIMEOUT = _code(_WARNING, 10)
    BADTYPE = _code(_ERROR, 14)
    INTERNAL = _code(_FATAL, 17)
    DBLCLFAIL = _code(_WARNING, 18)
    GETFAIL = _code(_WARNING, 19)
    PUTFAIL = _code(_WARNING, 20)
    BADCOUNT = _code(_WARNING, 22)
    BADSTR = _code(_ERROR, 23)
    DISCONN = _code(_WARNING, 24)
    DBLCHNL = _code(_WARNING, 25)
    EVDISALLOW = _code(_ERROR, 26)
    BADMONID = _code(_ERROR, 30)
    DEFUNCT = _code(_FATAL, 34)
    BADMASK = _code(_ERROR, 41)
    IODONE = _code(_INFO, 42)
    IOINPROGRESS = _code(_INFO, 43)
    BADSYNCGRP = _code(_ERROR, 44)
    PUTCBINPROG = _code(_ERROR, 45)
    NORDACCESS = _code(_WARNING, 46)
    NOWTACCESS = _code(_WARNING, 47)
    ANACHRONISM = _code(_ERROR, 48)
    NOSEARCHADDR = _code(_WARNING, 49)
    NOCONVERT = _code(_WARNING, 50)
    BADCHID = _code(_ERROR, 51)
    BADFUNCPTR = _code(_ERROR, 52)
    ISATTACHED = _code(_WARNING, 53)
    UNAVAILINSERV = _code(_WARNING, 54)
    CHANDESTROY = _code(_WARNING, 55)
    BADPRIORITY = _code(_ERROR, 56)
    NOTTHREADED = _code(_ERROR, 57)
    ARRAY16KCLIENT = _code(_WARNING, 58)
    CONNSEQTMO = _code(_WARNING, 59)
    UNRESPTMO = _code(_WARNING, 60)
