"""The words with which receiving systems refuse a mail, as regular expressions.

They are compared with the words of a reply, as `smtp_reply.py` gives them: lower case, no accents,
no codes, no pages, a host as `[host]`, an address as `[address]`. A text has at most 256
characters, so that matching is quick. `refusals.py` says what each group of them means.
"""

_NEAR = "[^.;!?]{0,50}"  # in the same sentence

_MAILBOX = (
    r"\b(?:mail[ -]?box|user(?! (?:agent|database))(?: ?(?:name|id))?|recipients?|rcpt|addressee"
    r"|account|alias|customer|employee|subscriber|person|inbox|local[ -]?part|\[address\]"
    r"|destination address(?:es)?"
    r"|(?<!ip )(?<!ip-)(?<!sender )(?<!from )(?<!your )(?<!host )(?<!your email )address"
    r"|(?<!your )e-?mail(?: address| account)?(?! (?:contains?|has|with|message|body)\b))"
    r"(?:'s|s)?\b"
)
_UNKNOWN = (
    r"(?:un-?known|un-?recogni[sz]ed|invalid|incorrect|malformed|non-?exist\w*|undeliverable"
    r"|(?:cannot|could ?n[o']t|could not|can't|can not|unable to|not) be (?:found|located|verified)"
    r"|not (?:currently |been |an? |yet )*(?:found|known|valid|exist\w*|activ\w*|present|listed"
    r"|recogni[sz]ed|registered(?! gateway)|local|defined|deliverable|configured|hosted|ok|here"
    r"|in use|in service|in (?:our|the|this|my) (?:system|database|directory|domain|table)"
    r"|on (?:our|the|this) (?:system|server|domain|host))\b"
    r"|no longer (?:\w+ )?(?:valid|exists?|active|available|in use|accept\w*|here|with|works?"
    r"|employed|receiv\w*|used|monitored|on)"
    r"|left the \w+|absent|obsolete|bogus|(?:does|do)(?:n't| not) have an?\b)"
)
_GONE = (
    r"(?:disabled|de-?activated|in-?activ\w*|suspended|terminated|closed|deleted|discontinued"
    r"|frozen|archived|cancell?ed|retired|expired|dormant|not activated)\b"
    r"(?!.*\b(?:try|again|try again) later\b)"
)
_NO_SUCH = (
    r"\b(?:no such|un-?known|non-?exist\w*|invalid|incorrect|bad|wrong|illegal|malformed"
    r"|undeliverable"
    r"|unrecogni[sz]ed|un-?route?able|not an? (?:valid|known|local|registered)) "
    r"(?:(?:or|illegal|local|final|delivery|mail|e-?mail|virtual|inactive) )*"
)
_PARTY = (
    r"(?:ip|host|host-?name|server|domain|network|isp|region|country|access|mta|e-?mail address"
    r"|organi[sz]ation|internet service)"
)
_MEASURED = r"(?:rate|frequency|sending|connections?|relay|hourly|daily)"


def _sentence(subject: str, matter: str) -> str:
    """Return the expression for a sentence: the beginning of its subject, and of its matter."""
    return rf"\b(?:{subject})\w*\b{_NEAR}\b(?:{matter})"


NO_MAIL_FOR_DOMAIN = (
    (
        r"^(?!.*\bsender\b).*\b(?:host|domain)\b[^.;!?]{0,20} does(?:n't| not) "
        r"(?:accept|receive) (?:any )?e?-?mail\b(?! from)"
    ),
    r"^(?!.*\bsender\b).*\bnull ?mx\b",
    r"\bindicated no smtp service\b",
)

SENDER_REPUTATION = (
    r"\b(?:block|black|deny) ?list|\bdnsbl\b|\brbl\b|\buribl\b",
    r"(?<!not )(?<!not currently )(?<!not yet )\blisted (?:at|in|on|by)\b",
    r"\bdictionary attack|\bharvest|\bvirus\b|\bmalware|\bcontent filter|\bbayes|\bsent spam\b",
    r"\bip (?:address )?(?:\S+ )?(?:is |was |has been )?(?:blocked|banned|refused)\b|\bwhite ?list",
    r"\breputation\b|\bspam (?:content|detected|score|message|rejected)|\b(?:as|is|be) spam\b",
)

SENDER_AUTHENTICATION = (
    (
        r"\b(?:spf|dkim|dmarc)"
        r"(?![ =:]*(?:check )?pass(?:ed)?\b|=(?:none|neutral|softfail|temperror)\b)"
    ),
    r"\bptr\b",
    r"\b(?:reverse |r-?)dns\b",
    r"\b(?:start)?tls\b[^.;!?]{0,30}\b(?:requir|must|need)",
    r"\b(?:requir|must|need|use(?!r))\w*\b[^.;!?]{0,30}\b(?:start)?tls\b",
)

SENDER_ADDRESS = (
    r"\b(?:un-?known|invalid|bad|un-?routable|un-?resolvable) (?:[\w.]+ )?(?:sender|from)s?\b",
    r"\b(?:bogus|banned|null|empty|forged|outbound|reputation) (?:[\w.]+ )?(?:sender|from)s?\b",
    (
        r"\bsender'?s? (?:e-?mail |envelope )?"
        r"(?:address|domain|id|host|name|verif|policy|mail ?box|account)"
    ),
    r"\(sender\)|\bcallback to\b|\breply-?to\b|\bbounce address|\binvalid dns\b",
    r"\byour (?:e-?mail |mail )?(?:account|address) (?:is|has|was|could)\b|\bverify your address",
    r"\bsender'?s? (?:e-?mail )?(?:reject|refus|den|block|bann|black|not|unknown|invalid|spam)",
    r"\bsenders? (?:is|was|has been) ",
    r"\b(?:domain|address|account|mailbox) of (?:the )?sender\b",
    r"\bfrom (?:address|domain|header)|\bmail from\b|\bfrom:",
    r"\benvelope.(?:from|sender|rejected)|\byour return|\breturn[ -]path\b(?!:)|\breturn address\b",
    r"\bbatv\b|\bback-?scatter|\bnon-?member",
    r"\b(?:absender|expediteur|remitente|mittente|remetente|nadawc|odesilatel|afzender)",
    r"\bотправител|发件|发信|送信[者元]|差出人",
)

SENDER_NETWORK = (
    r"\bsending (?:ip|address|domain|host|server|mta|user|system|e-?mail|account|from)",
    r"\bclient (?:host|ip|address|name|was|is|does|\[)|\bremote-?host\b|\b(?:helo|ehlo)\b",
    r"\breverse lookup",
    r"\bunknown (?:client|ip|remote host)|\bbad ip\b|\bip[ -]address\b",
    rf"\byour (?:\w+ )?{_PARTY}\b",
    r"\bip[ -]?(?:adres|адрес)|\b(?:adress?e?|direccion|indirizzo|endereco|adresa) ip\b|您的ip",
    r"\b(?:ihre|votre|su|vostr[oa]|seu|twoj|вашего|vase|uw) (?:\w+[ -])?ip\b",
    r"\bvotre adresse\b|\bвашего сервера\b",
)

MAILBOX_FULL = (
    r"quota",
    rf"{_MAILBOX}{_NEAR}(?<!the )(?<!your )\bfull\b",
    r"\bfull (?:mail ?box|inbox)\b",
    r"\b(?:folder|storage|mailfolder|disk)\b[^.;!?]{0,30}\bfull\b",
    r"\b(?:out of|insufficient|enough|no|low|more) (?:\w+ ){0,2}(?:storage|space)\b",
    r"\b(?:storage|space)\b[^.;!?]{0,20}\b(?:used up|exhausted|not enough|exceeded)",
    rf"{_MAILBOX}{_NEAR}\b(?:exceed|passed|reached|over)\w*{_NEAR}\b(?:size|storage|space|capacity)",
    r"\bmail ?box (?:size|storage|limit)|\bexceeded the local limit|\bstorage (?:allocation|limit)",
    r"\btoo much mail data\b|\bmail-?box is overflow",
    # German, French, Spanish, Italian, Portuguese, Polish, Russian, Dutch, Czech, Chinese
    _sentence("postfach|mailbox|speicher", r"voll\b|uberfullt|ueberfuellt"),
    r"\bspeicher(?:platz|limit|grenze)|\bkontingent",
    _sentence("boite", "pleine|saturee"),
    r"\bespace (?:disque )?insuffisant",
    _sentence("buzon|cuenta|casilla|bandeja", "llen[oa]"),
    r"\bcuota\b|\bsin espacio",
    _sentence("casella", "pien[ao]"),
    r"\bspazio (?:esaurito|insufficiente)",
    _sentence("caixa", "cheia|lotada"),
    r"\bcota\b|\bsem espaco",
    _sentence("skrzynk|konto", "peln|przepeln"),
    r"\bprzekroczon",
    _sentence("ящик", "переполнен|заполнен"),
    r"\bпревышен",
    _sentence("postvak|mailbox", r"vol\b"),
    _sentence("schrank", "(?:pre)?pln"),
    "已满|容量不足|容量超過|いっはい",
)

MESSAGE_TOO_LARGE = (
    (
        r"\b(?:message|mail|e-?mail|header|line|file|attachment)s?'? ?(?:header |data )?"
        r"(?:size|length|limit)\b"
    ),
    (
        r"\b(?:message|mail|e-?mail|headers?|body|content|attachments?)\b[^.;!?]{0,30}"
        r"\b(?:too (?:big|large)|(?<!queue )too long|exceed\w*\b[^.;!?]{0,20}\bsize|over-?sized?)"
    ),
    r"\b(?:size|taille) (?:limit|exceed|maxim)|\blarger than\b",
    _sentence("nachricht|mail", "zu gro(?:ss|b)"),
    _sentence("message|mensaje|messaggio", "trop |demasiado g|troppo g"),
    _sentence("mensagem|tamanho|tamano", "muito g|acima|supera|excede"),
)

MESSAGE_MALFORMED = (
    r"\brfc ?(?:2822|5322)\b|\bmime\b|\bin message header|\bmessage-id\b",
    r"\bbare (?:lf|cr)|\bnul (?:char|byte)|\binvalidcontent|\bpotential security issue",
    r"\b(?:message|mail) contains\b[^.;!?]{0,30}\b(?:url|link|attachment)s?\b|\burl in\b",
    r"\b(?:invalid|multiple|duplicate|missing|malformed|bad)\b[^.;!?]{0,30}\bheader",
    r"\bheader (?:error|is missing|syntax|check)|\b(?:to|from|subject|date)'? header\b",
)

RATE = (
    r"\bat a rate\b|\btoo quickly\b|\bthrottl|\bslow(?:er| down)\b|\bgr[ea]y-?list",
    (
        r"\btoo (?:many|much) "
        r"(?:(?:concurrent|smtp|simultaneous|open|invalid|unknown|bad|bogus|non-?existent) )*"
        r"(?:e-?mails?|connections?|messages?|mails?|recipients|sessions|traffic)\b"
    ),
    rf"\b{_MEASURED} (?:is |are |sending |e-?mail )*(?:limit|exceed)",
    r"\bmax\w* (?:number of )?(?:messages?|recipients|connections?|sending rate)\b",
    r"\bexceeded (?:permitted|the rate|the max)|\breceiving rate\b|\bper (?:hour|day|minute)\b",
    r"\btrop de (?:connexion|message|mail|destinataire)",
    r"\bzu viele (?:verbindung|nachricht|e?-?mails|empf)",
    r"\b(?:demasiad|muit)[oa]s (?:cone|mensa|correo|destinatario|e-?mails)",
    r"\btropp[ei] (?:connession|messagg|mail|destinatar)",
    r"\bzbyt wiele\b|\bслишком много\b",
)

NO_RELAY = (
    r"\brelay(?:ing)?\b[^.;!?]{0,40}\b(?:denied|prohibited|disallowed|refused|forbidden)",
    r"\brelay(?:ing)?\b[^.;!?]{0,40}\bnot (?:permitted|allowed)",
    r"\b(?:unable|allowed|permitted|authorized|not) to relay\b|\b(?:not|no) relay\b|n't relay\b",
    r"\bnot the mail ?server\b|(?:not|n't) handle mail\b|\bdomain\b[^.;!?]{0,30}\bnot hosted\b",
    r"\brelais refus|\bmail to this domain\b",
    r"\brcpt-?hosts?\b|\bas a relay\b|\bnot (?:a )?local host\b",
)

UNVERIFIED = (
    r"\bunverified address\b|\bverif(?:y|ication) (?:in progress|callout|temporar)",
    r"\brefused to talk to me\b|\bloops? back\b",
)

NO_SUCH_DOMAIN = (
    r"\b(?:domain|host)(?: name)?(?: \[host\])?(?: is| was| could)? (?:unknown|invalid|non-?exist)",
    r"\b(?:domain|host)(?: name)?(?: \[host\])?(?: was| could)? not (?:be )?found(?!, try)",
    r"\b(?:domain|host)(?: name)?(?: \[host\])? (?:does|do)(?:n't| not) exist",
    r"\b(?:unknown|invalid|no such|non-?existent|illegal) (?:e-?mail )?(?:host|domain)\b",
    r"\[host\] (?:does(?:n't| not) exist|not ?found\b(?!, try)|is unknown)",
    r"\bnxdomain\b|\bdomain-?non-?existent|\bno (?:valid )?(?:mx|mail exchanger)\b",
    _sentence("domain|domaine", "n'existe|inconnu|existiert nicht|unbekannt"),
    _sentence("domin|doman", "no existe|inexistente|non esiste|nao (?:existe|foi)|neexist"),
)

NO_SUCH_RECIPIENT = (
    rf"{_MAILBOX}{_NEAR}\b{_UNKNOWN}",
    rf"{_NO_SUCH}{_MAILBOX}(?! error)",
    r"\b(?:does|do|did|dos)(?:n['o]?t| not)(?: seem to| currently)? exs?ist\b|\bno exist\b",
    r"\bno longer (?:valid|exists?|active|in use)\b|\bno such id\b",
    r"\bno (?:e?-?mail ?box|account|user|such (?:person|address)|recipient|person)\b",
    r"\b(?:nobody|no ?one) (?:here|by)\b|\bnosuchuser|\b(?:bad|valid)(?:rcpt|recipient)to\b",
    r"\brecip\w* ?not ?found",
    r"\bnot (?:have|hold) an account|\bnot (?:one of )?our (?:customer|user|e?-?mail)",
    r"\bnon-?working address|\bmail ?box name not allowed\b",
    r"\blookup in \w+ \w+ failed\b|\bverification failed for\b(?! sender)",
    r"\bnot (?:(?:listed|found|present) )?in (?:the |our )?(?:\w+ )?(?:directory|database)\b",
    r"\b(?:not|no) match(?:ing)? (?:any )?(?:user|recipient|entry|mail ?box)\b",
    r"\b(?:rcpt )?user \[address\] not ok\b|\bthis account is not\b",
    r"\bmissing home directory\b|(?<!server )(?<!host )\bhas (?:moved|been replaced)\b",
)

NO_SUCH_RECIPIENT_ABROAD = (
    # German
    _sentence(
        "empfanger|empfaenger|benutzer|postfach|adress|konto|mailbox|teilnehmer",
        "unbekannt|existiert nicht|nicht (?:gefunden|vorhanden|bekannt|existent|verfu)"
        "|ungultig|ungueltig|deaktiviert|gesperrt|geschlossen|geloscht|geloescht",
    ),
    r"\bunbekannte[rs]? (?:empf|benutzer|adress|user)",
    r"\bkeine?n? (?:\w+ )?(?:postfach|mailbox|benutzer|empf|konto|adresse)",
    # French
    _sentence(
        "adresse|utilisateur|destinataire|boite|compte|usager|abonne",
        "invalide|inconnu|n'existe|inexistant|introuvable|desactive|ferme|suspendu|bloque"
        "|archive|resilie",
    ),
    r"\baucune? (?:utilisateur|destinataire|boite|compte)",
    # Spanish
    _sentence(
        "usuario|destinatario|buzon|cuenta|direccion|casilla",
        "desconocid|no exist|inexistente|invalid|no (?:es |esta |fue )?(?:valid|encontr|activ"
        "|disponible|registrad)|des?h?abilitad|desactivad|inhabilitad|inactiv|suspendid|cerrad"
        "|bloquead|cancelad|eliminad",
    ),
    r"\bno existe\b|\bno se (?:encontro|encuentra)\b",
    # Italian
    _sentence(
        "utente|destinatario|casella|account|indirizzo|mailbox",
        "sconosciut|inesistente|non (?:e |esist|valid|trovat|attiv|disponibil|abilitat|presente)"
        "|disabilitat|disattivat|sospes|chius|scadut|cessat|bloccat|errat",
    ),
    r"\bnessun (?:utente|destinatario|account)|\bnon esiste\b",
    # Portuguese
    _sentence(
        "usuario|destinatario|caixa|conta|endereco|utilizador",
        "desconhecid|inexistent|nao (?:exist|encontr|foi encontr|e valid|esta ativ)|desativad"
        "|desabilitad|inativ|suspens|encerrad|bloquead|cancelad",
    ),
    # Polish
    _sentence(
        "odbiorc|uzytkownik|konto|adres|skrzynk",
        "nie istnieje|nieznan|nieaktywn|zablokowan|nieprawidlow|wylaczon|zamkni",
    ),
    r"\bnieznan\w+ (?:uzytkownik|odbiorc|adres)|\bnie istnieje\b|\bnie ma takie",
    r"\bbrak (?:takiego )?(?:uzytkownik|kont|odbiorc|adres)",
    # Russian
    _sentence(
        "пользовател|получател|ящик|адрес|аккаунт|учетн",
        "не существует|не наиден|неизвест|заблокирован|отключен|удален|неактив|недоступен",
    ),
    r"\bнет такого\b|\bнеизвестныи (?:пользователь|получатель|адрес)",
    # Dutch
    _sentence(
        "gebruiker|ontvanger|postvak|adres",
        "bestaat niet|onbekend|niet gevonden|ongeldig|geblokkeerd",
    ),
    r"\bonbekende (?:gebruiker|ontvanger)",
    # Czech
    _sentence(
        "uzivatel|adres|schrank|prijemce", "neexist|neznam|nenalezen|zrusen|neaktivn|zablokovan"
    ),
    r"\bneznam\w* (?:uzivatel|prijemce|adres)",
    # Chinese, Japanese
    "不存在|无此用户|禁用|存在しません|見つかりません",
)

RECIPIENT_DISABLED = (
    rf"{_MAILBOX}{_NEAR}\b(?:is|are|was|been|being|now|currently|account|or) (?:\w+ )?{_GONE}",
    rf"{_MAILBOX}(?: \S+)? {_GONE}",
    rf"\b(?:disabled|inactive|suspended|closed|expired|deactivated|terminated) {_MAILBOX}",
    r"\bdisableduser\b|\btemporar(?:il)?y locked\b(?! out)",
    r"\btemporar(?:il)?y (?:inactive|disabled|suspended)\b(?!.*\blater\b)",
    (
        r"(?<!your )(?<!to this )(?<!from this )\b(?:account|mail ?box|user|recipient)\b"
        r"[^.;!?]{0,20}\b(?:is|been|was) (?:\w+ )?(?:blocked|locked|restricted)\b(?! to)"
    ),
)

ACCESS_DENIED = (r"\baccess denied\b",)

BLOCK = (
    r"\bspam|\bjunk|\bbulk\b|\bube\b|\bunsolicited|\bsuspicious|\babuse\b|\bcomplaints?\b",
    r"\bblocked\b|\bbanned\b|\bpolic(?:y|ies)\b|\bdelivery of this message\b|\brly:b\d",
    r"\bvirus|\bmalware|\bphish|\bonly accepts?\b|\bwhite ?list",
    r"\bprohibited|\bnot allowed|\bforbidden|\baccess denied|\b(?:un)?auth(?:ent|or)i",
)

BROKEN_ROUTE = (
    r"\bloop|\bhop count|\btoo many hops|\bexceeded \d+ hops|\bpoints? back\b",
    r"\btim(?:ed|e)[ -]?out\b|\bexpired\b|\bqueue\b|\bgiving up\b|\bretr(?:y time|ies)\b",
    r"\b(?:unable to|could not|cannot|can't) (?:connect|route|contact)|\bno route\b",
    r"\bconnection (?:was |is )?(?:refused|reset|dropped|closed|timed|failed|lost)",
    r"\blost connection|\bdid not respond|\bnot responding|\blookup fail|\bshutting down\b",
    r"\bdatabase (?:is )?unavailable\b|\bserver has moved\b",
    r"\bname ?server|\bname (?:or )?service|\bdns\b|\bhost not found, try",
    r"\bconfig(?:uration)? error|\bmailer error|\bcommand failed|\bcrashed\b",
    r"\bservice (?:is |currently |temporarily )*(?:un-?available|not available)",
    r"\b(?:internal|server|system|i/o|input/output|local) error|\bsystem (?:not accepting|call)",
)

TRY_LATER = (
    r"(?<!not )\btry (?:it )?(?:again|later|once more)\b|\bagain later\b|\bplease retry\b",
    r"\bdeferred\b|\bdelayed\b|\btemporar(?:y|ily)\b|\b(?:server|too) (?:is )?busy\b",
    r"\bspae?ter (?:noch|erneut|wieder)|\breessay|\bplus tard\b|\bmas tarde\b",
    r"\bpiu tardi\b|\briprova|\bmais tarde\b|\bsprobuj|\bповторите|\bпопробуите",
)

MAILBOX_UNAVAILABLE = (
    (
        r"\b(?:mail ?box|account|user(?! database)|recipient)(?: \S+)?(?: is)?(?: currently)? "
        r"(?:un-?available|not available|restricted(?! to)|cannot be accessed)\b"
    ),
)

UNKNOWN_ADDRESS_ERROR = (r"\bunknown address error\b",)

RECIPIENT_REFUSED = (
    (
        r"\b(?:recipients?|address|rcpt)(?: address)?(?: \[address\])?(?: has been| was| is)? "
        r"(?:rejected|refused|denied|not accepted)\b(?!: \w)"
    ),
    r"\brejected recipients\b|\bno valid recipients?\b(?! from)",
)

# The mailbox is named and denied, and nothing is about the mail, the sender or another party.
RECIPIENT_DENIED = (
    (
        r"^(?!.*\b(?:messages?|senders?|send|accept\w*|allow\w*|permi\w+|only|outside|external|list"
        r"|domain|access|subscribed|valid recipients|on hold)\b)"
        r"(?=.*\b(?:not?|never|cannot|can't|isn't|doesn't|wrong|turned off)\b)"
        r".*\b(?:mail ?box|user|recipient|addressee|account|alias|person|address)s?\b"
    ),
)
