// Names of regions, languages, scripts, currencies and calendars in English. Loaded where a worker names DisplayNames.
// Source: CLDR, as workerd 2026-07-30 answers.
import { tag } from "edgeworker:host";
import { canonical, option, supported } from "edgeworker:intl_numbers";

const NAMES = {
  region:
    "419:Latin America|AC:Ascension Island|AD:Andorra|AE:United Arab Emirates|AF:Afghanistan|AG:Antigua & Barbuda|" +
    "AI:Anguilla|AL:Albania|AM:Armenia|AN:Curaçao|AO:Angola|AQ:Antarctica|AR:Argentina|AS:American Samoa|AT:Austria|" +
    "AU:Australia|AW:Aruba|AX:Åland Islands|AZ:Azerbaijan|BA:Bosnia & Herzegovina|BB:Barbados|BD:Bangladesh|" +
    "BE:Belgium|BF:Burkina Faso|BG:Bulgaria|BH:Bahrain|BI:Burundi|BJ:Benin|BL:St. Barthélemy|BM:Bermuda|BN:Brunei|" +
    "BO:Bolivia|BQ:Caribbean Netherlands|BR:Brazil|BS:Bahamas|BT:Bhutan|BU:Myanmar (Burma)|BV:Bouvet Island|" +
    "BW:Botswana|BY:Belarus|BZ:Belize|CA:Canada|CC:Cocos (Keeling) Islands|CD:Congo - Kinshasa|" +
    "CF:Central African Republic|CG:Congo - Brazzaville|CH:Switzerland|CI:Côte d’Ivoire|CK:Cook Islands|CL:Chile|" +
    "CM:Cameroon|CN:China|CO:Colombia|CP:Clipperton Island|CQ:Sark|CR:Costa Rica|CS:Serbia|CU:Cuba|CV:Cape Verde|" +
    "CW:Curaçao|CX:Christmas Island|CY:Cyprus|CZ:Czechia|DD:Germany|DE:Germany|DG:Diego Garcia|DJ:Djibouti|" +
    "DK:Denmark|DM:Dominica|DO:Dominican Republic|DY:Benin|DZ:Algeria|EA:Ceuta & Melilla|EC:Ecuador|EE:Estonia|" +
    "EG:Egypt|EH:Western Sahara|ER:Eritrea|ES:Spain|ET:Ethiopia|EU:European Union|EZ:Eurozone|FI:Finland|FJ:Fiji|" +
    "FK:Falkland Islands (Islas Malvinas)|FM:Micronesia|FO:Faroe Islands|FR:France|FX:France|GA:Gabon|" +
    "GB:United Kingdom|GD:Grenada|GE:Georgia|GF:French Guiana|GG:Guernsey|GH:Ghana|GI:Gibraltar|GL:Greenland|" +
    "GM:Gambia|GN:Guinea|GP:Guadeloupe|GQ:Equatorial Guinea|GR:Greece|GS:South Georgia & South Sandwich Islands|" +
    "GT:Guatemala|GU:Guam|GW:Guinea-Bissau|GY:Guyana|HK:Hong Kong|HM:Heard & McDonald Islands|HN:Honduras|" +
    "HR:Croatia|HT:Haiti|HU:Hungary|HV:Burkina Faso|IC:Canary Islands|ID:Indonesia|IE:Ireland|IL:Israel|" +
    "IM:Isle of Man|IN:India|IO:British Indian Ocean Territory|IQ:Iraq|IR:Iran|IS:Iceland|IT:Italy|JE:Jersey|" +
    "JM:Jamaica|JO:Jordan|JP:Japan|KE:Kenya|KG:Kyrgyzstan|KH:Cambodia|KI:Kiribati|KM:Comoros|KN:St. Kitts & Nevis|" +
    "KP:North Korea|KR:South Korea|KW:Kuwait|KY:Cayman Islands|KZ:Kazakhstan|LA:Laos|LB:Lebanon|LC:St. Lucia|" +
    "LI:Liechtenstein|LK:Sri Lanka|LR:Liberia|LS:Lesotho|LT:Lithuania|LU:Luxembourg|LV:Latvia|LY:Libya|MA:Morocco|" +
    "MC:Monaco|MD:Moldova|ME:Montenegro|MF:St. Martin|MG:Madagascar|MH:Marshall Islands|MK:North Macedonia|ML:Mali|" +
    "MM:Myanmar (Burma)|MN:Mongolia|MO:Macao|MP:Northern Mariana Islands|MQ:Martinique|MR:Mauritania|MS:Montserrat|" +
    "MT:Malta|MU:Mauritius|MV:Maldives|MW:Malawi|MX:Mexico|MY:Malaysia|MZ:Mozambique|NA:Namibia|NC:New Caledonia|" +
    "NE:Niger|NF:Norfolk Island|NG:Nigeria|NH:Vanuatu|NI:Nicaragua|NL:Netherlands|NO:Norway|NP:Nepal|NR:Nauru|" +
    "NU:Niue|NZ:New Zealand|OM:Oman|PA:Panama|PE:Peru|PF:French Polynesia|PG:Papua New Guinea|PH:Philippines|" +
    "PK:Pakistan|PL:Poland|PM:St. Pierre & Miquelon|PN:Pitcairn Islands|PR:Puerto Rico|PS:Palestine|PT:Portugal|" +
    "PW:Palau|PY:Paraguay|QA:Qatar|QO:Outlying Oceania|RE:Réunion|RH:Zimbabwe|RO:Romania|RS:Serbia|RU:Russia|" +
    "RW:Rwanda|SA:Saudi Arabia|SB:Solomon Islands|SC:Seychelles|SD:Sudan|SE:Sweden|SG:Singapore|SH:St. Helena|" +
    "SI:Slovenia|SJ:Svalbard & Jan Mayen|SK:Slovakia|SL:Sierra Leone|SM:San Marino|SN:Senegal|SO:Somalia|" +
    "SR:Suriname|SS:South Sudan|ST:São Tomé & Príncipe|SU:Russia|SV:El Salvador|SX:Sint Maarten|SY:Syria|" +
    "SZ:Eswatini|TA:Tristan da Cunha|TC:Turks & Caicos Islands|TD:Chad|TF:French Southern Territories|TG:Togo|" +
    "TH:Thailand|TJ:Tajikistan|TK:Tokelau|TL:Timor-Leste|TM:Turkmenistan|TN:Tunisia|TO:Tonga|TP:Timor-Leste|" +
    "TR:Türkiye|TT:Trinidad & Tobago|TV:Tuvalu|TW:Taiwan|TZ:Tanzania|UA:Ukraine|UG:Uganda|UK:United Kingdom|" +
    "UM:U.S. Outlying Islands|UN:United Nations|US:United States|UY:Uruguay|UZ:Uzbekistan|VA:Vatican City|" +
    "VC:St. Vincent & Grenadines|VD:Vietnam|VE:Venezuela|VG:British Virgin Islands|VI:U.S. Virgin Islands|" +
    "VN:Vietnam|VU:Vanuatu|WF:Wallis & Futuna|WS:Samoa|XA:Pseudo-Accents|XB:Pseudo-Bidi|XK:Kosovo|YD:Yemen|YE:Yemen|" +
    "YT:Mayotte|YU:Serbia|ZA:South Africa|ZM:Zambia|ZR:Congo - Kinshasa|ZW:Zimbabwe|ZZ:Unknown Region",
  language:
    "af:Afrikaans|ak:Akan|am:Amharic|an:Aragonese|ar:Arabic|as:Assamese|ay:Aymara|az:Azerbaijani|be:Belarusian|" +
    "bg:Bulgarian|bh:Bhojpuri|bm:Bambara|bn:Bangla|br:Breton|bs:Bosnian|ca:Catalan|co:Corsican|cs:Czech|cy:Welsh|" +
    "da:Danish|de:German|dv:Divehi|ee:Ewe|el:Greek|en:English|eo:Esperanto|es:Spanish|et:Estonian|eu:Basque|" +
    "fa:Persian|fi:Finnish|fo:Faroese|fr:French|fy:Western Frisian|ga:Irish|gd:Scottish Gaelic|gl:Galician|" +
    "gn:Guarani|gu:Gujarati|ha:Hausa|he:Hebrew|hi:Hindi|hr:Croatian|ht:Haitian Creole|hu:Hungarian|hy:Armenian|" +
    "ia:Interlingua|id:Indonesian|ig:Igbo|in:Indonesian|is:Icelandic|it:Italian|iw:Hebrew|ja:Japanese|ji:Yiddish|" +
    "jv:Javanese|jw:Javanese|ka:Georgian|kk:Kazakh|km:Khmer|kn:Kannada|ko:Korean|ku:Kurdish|ky:Kyrgyz|la:Latin|" +
    "lb:Luxembourgish|lg:Ganda|ln:Lingala|lo:Lao|lt:Lithuanian|lv:Latvian|mg:Malagasy|mi:Māori|mk:Macedonian|" +
    "ml:Malayalam|mn:Mongolian|mo:Romanian|mr:Marathi|ms:Malay|mt:Maltese|my:Burmese|nb:Norwegian Bokmål|ne:Nepali|" +
    "nl:Dutch|nn:Norwegian Nynorsk|no:Norwegian|ny:Nyanja|oc:Occitan|om:Oromo|or:Odia|pa:Punjabi|pl:Polish|" +
    "ps:Pashto|pt:Portuguese|qu:Quechua|rm:Romansh|ro:Romanian|ru:Russian|rw:Kinyarwanda|sa:Sanskrit|sd:Sindhi|" +
    "sh:Serbian (Latin)|si:Sinhala|sk:Slovak|sl:Slovenian|sm:Samoan|sn:Shona|so:Somali|sq:Albanian|sr:Serbian|" +
    "st:Southern Sotho|su:Sundanese|sv:Swedish|sw:Swahili|ta:Tamil|te:Telugu|tg:Tajik|th:Thai|ti:Tigrinya|" +
    "tk:Turkmen|tl:Filipino|tn:Tswana|to:Tongan|tr:Turkish|ts:Tsonga|tt:Tatar|tw:Akan|ug:Uyghur|uk:Ukrainian|" +
    "ur:Urdu|uz:Uzbek|vi:Vietnamese|wa:Walloon|wo:Wolof|xh:Xhosa|yi:Yiddish|yo:Yoruba|zh:Chinese|zu:Zulu|" +
    "fil:Filipino|haw:Hawaiian|yue:Cantonese|chr:Cherokee|ckb:Central Kurdish|kok:Konkani|mai:Maithili|mni:Manipuri|" +
    "ast:Asturian|ceb:Cebuano|en-US:American English|en-GB:British English|en-AU:Australian English|" +
    "en-CA:Canadian English|fr-CA:Canadian French|fr-CH:Swiss French|es-ES:European Spanish|es-MX:Mexican Spanish|" +
    "es-419:Latin American Spanish|pt-BR:Brazilian Portuguese|pt-PT:European Portuguese|de-AT:Austrian German|" +
    "de-CH:Swiss High German|nl-BE:Flemish|zh-Hans:Simplified Chinese|zh-Hant:Traditional Chinese|" +
    "sr-Latn:Serbian (Latin)|ar-001:Modern Standard Arabic|fa-AF:Dari|ro-MD:Moldavian|sw-CD:Congo Swahili|" +
    "zh-CN:Chinese (China)|zh-TW:Chinese (Taiwan)|ja-JP:Japanese (Japan)|sr-Cyrl-RS:Serbian (Cyrillic, Serbia)",
  currency:
    "AED:United Arab Emirates Dirham|AFN:Afghan Afghani|ALL:Albanian Lek|AMD:Armenian Dram|" +
    "ANG:Netherlands Antillean Guilder|AOA:Angolan Kwanza|ARS:Argentine Peso|AUD:Australian Dollar|" +
    "AWG:Aruban Florin|AZN:Azerbaijani Manat|BAM:Bosnia-Herzegovina Convertible Mark|BBD:Barbadian Dollar|" +
    "BDT:Bangladeshi Taka|BGN:Bulgarian Lev|BHD:Bahraini Dinar|BIF:Burundian Franc|BMD:Bermudan Dollar|" +
    "BND:Brunei Dollar|BOB:Bolivian Boliviano|BRL:Brazilian Real|BSD:Bahamian Dollar|BTN:Bhutanese Ngultrum|" +
    "BWP:Botswanan Pula|BYN:Belarusian Ruble|BZD:Belize Dollar|CAD:Canadian Dollar|CDF:Congolese Franc|" +
    "CHF:Swiss Franc|CLP:Chilean Peso|CNY:Chinese Yuan|COP:Colombian Peso|CRC:Costa Rican Colón|" +
    "CUC:Cuban Convertible Peso|CUP:Cuban Peso|CVE:Cape Verdean Escudo|CZK:Czech Koruna|DJF:Djiboutian Franc|" +
    "DKK:Danish Krone|DOP:Dominican Peso|DZD:Algerian Dinar|EGP:Egyptian Pound|ERN:Eritrean Nakfa|" +
    "ETB:Ethiopian Birr|EUR:Euro|FJD:Fijian Dollar|FKP:Falkland Islands Pound|GBP:British Pound|GEL:Georgian Lari|" +
    "GHS:Ghanaian Cedi|GIP:Gibraltar Pound|GMD:Gambian Dalasi|GNF:Guinean Franc|GTQ:Guatemalan Quetzal|" +
    "GYD:Guyanaese Dollar|HKD:Hong Kong Dollar|HNL:Honduran Lempira|HRK:Croatian Kuna|HTG:Haitian Gourde|" +
    "HUF:Hungarian Forint|IDR:Indonesian Rupiah|ILS:Israeli New Shekel|INR:Indian Rupee|IQD:Iraqi Dinar|" +
    "IRR:Iranian Rial|ISK:Icelandic Króna|JMD:Jamaican Dollar|JOD:Jordanian Dinar|JPY:Japanese Yen|" +
    "KES:Kenyan Shilling|KGS:Kyrgystani Som|KHR:Cambodian Riel|KMF:Comorian Franc|KPW:North Korean Won|" +
    "KRW:South Korean Won|KWD:Kuwaiti Dinar|KYD:Cayman Islands Dollar|KZT:Kazakhstani Tenge|LAK:Laotian Kip|" +
    "LBP:Lebanese Pound|LKR:Sri Lankan Rupee|LRD:Liberian Dollar|LSL:Lesotho Loti|LYD:Libyan Dinar|" +
    "MAD:Moroccan Dirham|MDL:Moldovan Leu|MGA:Malagasy Ariary|MKD:Macedonian Denar|MMK:Myanmar Kyat|" +
    "MNT:Mongolian Tugrik|MOP:Macanese Pataca|MRU:Mauritanian Ouguiya|MUR:Mauritian Rupee|MVR:Maldivian Rufiyaa|" +
    "MWK:Malawian Kwacha|MXN:Mexican Peso|MYR:Malaysian Ringgit|MZN:Mozambican Metical|NAD:Namibian Dollar|" +
    "NGN:Nigerian Naira|NIO:Nicaraguan Córdoba|NOK:Norwegian Krone|NPR:Nepalese Rupee|NZD:New Zealand Dollar|" +
    "OMR:Omani Rial|PAB:Panamanian Balboa|PEN:Peruvian Sol|PGK:Papua New Guinean Kina|PHP:Philippine Peso|" +
    "PKR:Pakistani Rupee|PLN:Polish Zloty|PYG:Paraguayan Guarani|QAR:Qatari Riyal|RON:Romanian Leu|" +
    "RSD:Serbian Dinar|RUB:Russian Ruble|RWF:Rwandan Franc|SAR:Saudi Riyal|SBD:Solomon Islands Dollar|" +
    "SCR:Seychellois Rupee|SDG:Sudanese Pound|SEK:Swedish Krona|SGD:Singapore Dollar|SHP:St. Helena Pound|" +
    "SLL:Sierra Leonean Leone (1964—2022)|SOS:Somali Shilling|SRD:Surinamese Dollar|SSP:South Sudanese Pound|" +
    "STN:São Tomé & Príncipe Dobra|SVC:Salvadoran Colón|SYP:Syrian Pound|SZL:Swazi Lilangeni|THB:Thai Baht|" +
    "TJS:Tajikistani Somoni|TMT:Turkmenistani Manat|TND:Tunisian Dinar|TOP:Tongan Paʻanga|TRY:Turkish Lira|" +
    "TTD:Trinidad & Tobago Dollar|TWD:New Taiwan Dollar|TZS:Tanzanian Shilling|UAH:Ukrainian Hryvnia|" +
    "UGX:Ugandan Shilling|USD:US Dollar|UYU:Uruguayan Peso|UZS:Uzbekistani Som|VES:Venezuelan Bolívar|" +
    "VND:Vietnamese Dong|VUV:Vanuatu Vatu|WST:Samoan Tala|XAF:Central African CFA Franc|XCD:East Caribbean Dollar|" +
    "XDR:Special Drawing Rights|XOF:West African CFA Franc|XPF:CFP Franc|XSU:Sucre|YER:Yemeni Rial|" +
    "ZAR:South African Rand|ZMW:Zambian Kwacha|ZWL:Zimbabwean Dollar (2009–2024)",
  script:
    "Arab:Arabic|Armn:Armenian|Beng:Bangla|Bopo:Bopomofo|Brai:Braille|Cans:Unified Canadian Aboriginal Syllabics|" +
    "Cher:Cherokee|Cyrl:Cyrillic|Deva:Devanagari|Ethi:Ethiopic|Geor:Georgian|Grek:Greek|Gujr:Gujarati|Guru:Gurmukhi|" +
    "Hang:Hangul|Hani:Han|Hans:Simplified|Hant:Traditional|Hebr:Hebrew|Hira:Hiragana|Jpan:Japanese|Kana:Katakana|" +
    "Khmr:Khmer|Knda:Kannada|Kore:Korean|Laoo:Lao|Latn:Latin|Mlym:Malayalam|Mong:Mongolian|Mymr:Myanmar|Orya:Odia|" +
    "Sinh:Sinhala|Taml:Tamil|Telu:Telugu|Thaa:Thaana|Thai:Thai|Tibt:Tibetan|Zinh:Inherited|Zyyy:Common|" +
    "Zzzz:Unknown Script|Copt:Coptic|Goth:Gothic|Tfng:Tifinagh",
  calendar:
    "buddhist:Buddhist Calendar|chinese:Chinese Calendar|coptic:Coptic Calendar|dangi:Dangi Calendar|" +
    "ethioaa:Ethiopic Amete Alem Calendar|ethiopic:Ethiopic Calendar|gregory:Gregorian Calendar|" +
    "hebrew:Hebrew Calendar|indian:Indian National Calendar|islamic:Hijri Calendar|" +
    "islamic-civil:Hijri Calendar (tabular, civil epoch)|islamic-rgsa:Hijri Calendar (Saudi Arabia, sighting)|" +
    "islamic-tbla:Hijri Calendar (tabular, astronomical epoch)|islamic-umalqura:Hijri Calendar (Umm al-Qura)|" +
    "iso8601:ISO-8601 Calendar|japanese:Japanese Calendar|persian:Persian Calendar|roc:Minguo Calendar",
  dateTimeField:
    "era:era|year:year|quarter:quarter|month:month|weekOfYear:week|weekday:day of the week|day:day|dayPeriod:AM/PM|" +
    "hour:hour|minute:minute|second:second|timeZoneName:time zone",
};
const tables = new Map();
function table(type) {
  if (!tables.has(type)) {
    tables.set(type, new Map(NAMES[type].split("|").map((one) => [one.slice(0, one.indexOf(":")), one.slice(one.indexOf(":") + 1)])));
  }
  return tables.get(type);
}

const FORMS = {
  region: /^(?:[A-Z]{2}|\d{3})$/, language: /^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/i, currency: /^[A-Z]{3}$/, script: /^[A-Z][a-z]{3}$/,
  calendar: /^[a-z0-9]{3,8}(?:-[a-z0-9]{3,8})*$/, dateTimeField: /^(?:era|year|quarter|month|weekOfYear|weekday|day|dayPeriod|hour|minute|second|timeZoneName)$/,
};
const NORMAL = {
  region: (code) => code.toUpperCase(), currency: (code) => code.toUpperCase(), calendar: (code) => code.toLowerCase(),
  script: (code) => code.slice(0, 1).toUpperCase() + code.slice(1).toLowerCase(), language: (code) => canonical(code)[0], dateTimeField: (code) => code,
};

export class DisplayNames {
  #options;
  constructor(locales, options) {
    if (options === undefined) throw new TypeError("invalid_argument");
    canonical(locales);
    this.#options = {
      locale: "en-US",
      style: option(options, "style", ["narrow", "short", "long"], "long"),
      type: option(options, "type", Object.keys(FORMS), undefined),
      fallback: option(options, "fallback", ["code", "none"], "code"),
    };
    if (this.#options.type === undefined) throw new TypeError("invalid_argument");
    const display = option(options, "languageDisplay", ["dialect", "standard"], "dialect");
    if (this.#options.type === "language") this.#options.languageDisplay = display;
  }
  static supportedLocalesOf(locales) { return supported(locales); }
  resolvedOptions() { return { ...this.#options }; }
  of(code) {
    const { type, fallback, languageDisplay } = this.#options;
    const given = String(code);
    if (type !== "language" && !FORMS[type].test(NORMAL[type](given))) throw new RangeError("invalid_argument");
    if (type === "language" && !FORMS.language.test(given)) throw new RangeError("invalid_argument");
    const normal = NORMAL[type](given);
    const name = type === "language" ? languageName(normal, languageDisplay) : table(type).get(normal);
    return name ?? (fallback === "code" ? normal : undefined);
  }
}
tag(DisplayNames, "Intl.DisplayNames");

function languageName(code, display) {
  const names = table("language");
  if (display === "dialect" && names.has(code)) return names.get(code);
  const [language, ...rest] = code.split("-");
  let known = language;
  let left = rest;
  if (display === "dialect" && (left.length === 1 || left[0]?.length === 2) && names.has(`${language}-${left[0]}`)) [known, left] = [`${language}-${left[0]}`, left.slice(1)];
  const name = names.get(known);
  if (name === undefined) return undefined;
  const details = left.map((part) => (part.length === 4 ? scriptName(part) : table("region").get(part)) ?? part);
  return details.length === 0 ? name : `${name} (${details.join(", ")})`;
}
const scriptName = (code) => ({ Hans: "Simplified", Hant: "Traditional" })[code] ?? table("script").get(code);

const UNITS = "acre bit byte celsius centimeter day degree fahrenheit fluid-ounce foot gallon gigabit gigabyte gram hectare hour inch kilobit kilobyte kilogram kilometer liter " +
  "megabit megabyte meter microsecond mile mile-scandinavian milliliter millimeter millisecond minute month nanosecond ounce percent petabyte pound second stone terabit terabyte week yard year";
const SUPPORTED = {
  calendar: () => [...table("calendar").keys()].sort(),
  currency: () => [...table("currency").keys()].sort(),
  collation: () => "compat emoji eor phonebk pinyin searchjl stroke trad unihan zhuyin".split(" "),
  numberingSystem: () => ["latn"],
  timeZone: () => ["UTC"],
  unit: () => UNITS.split(" "),
};
export function supportedValuesOf(key) {
  const values = Object.hasOwn(SUPPORTED, key) ? SUPPORTED[key] : undefined;
  if (values === undefined) throw new RangeError(`Invalid key : ${key}`);
  return values();
}
