"""Features in words: what a column means to a reader, and which family of inputs it belongs to."""

import re

OWN, PATTERN, SEASON = "Its own last weeks", "How it tends to sell", "The same weeks of last year"
PEERS, CALENDAR, EVENTS = "Similar products and stores", "Time of year", "Holidays and events"
WEATHER, PRICE, PROMOTION = "Weather", "Price", "Promotion"
RIVALS, SHOPPERS, IDENTITY = "Rival products", "Shoppers around", "Which store and product"
FAMILIES = (
    OWN, PATTERN, SEASON, PEERS, CALENDAR, EVENTS, WEATHER, PRICE, PROMOTION, RIVALS, SHOPPERS, IDENTITY,
)  # fmt: skip
GROUPS = {
    "product_format": "product in stores of its format",
    "product": "product in the region",
    "category": "product category",
    "store": "store as a whole",
    "region": "region as a whole",
}
_GROUP = re.compile(rf"^({'|'.join(GROUPS)})_(.+)$")
_FAMILIES: tuple[tuple[str, str], ...] = (
    (r"event_|(holiday|promotion|sport|school)_days|anniversary", EVENTS),
    (r"temperature|precipitation", WEATHER),
    (r"rival_|shelf_", RIVALS),
    (r"shoppers_", SHOPPERS),
    (r"feature|deal|featured_|unfeatured_|dealt_|promotion_", PROMOTION),
    (r"price", PRICE),
    (r"year_(sin|cos)|month_", CALENDAR),
    (r"year_ago|two_years|has_last_year", SEASON),
    (r"variation|zero_share|weeks_since|age$|log_level|quantile|least_mape|horizon", PATTERN),
    (r"lag_|mean_|faded|growth", OWN),
)
_WORDS: tuple[tuple[str, str], ...] = (
    (r"lag_0", "units of the latest week"),
    (r"lag_(\d+)", r"units \1 weeks before the latest"),
    (r"mean_(\d+)", r"mean of the last \1 weeks"),
    (r"faded_mean", "mean of the last weeks, the latest counting most"),
    (r"least_mape", "typical week, leaning to the low ones"),
    (r"quantile_(\d+)", r"level that \1 % of the weeks stay below"),
    (r"variation_(\d+)", r"ups and downs of the last \1 weeks"),
    (r"zero_share_(\d+)", r"share of the last \1 weeks without sales"),
    (r"log_level", "size of the series"),
    (r"age", "weeks since it was first sold"),
    (r"growth_(\d+)", r"growth on last year, over \1 weeks"),
    (r"year_ago_\+0", "same week of last year"),
    (r"year_ago_([+-]\d+)", r"last year, \1 week from the target"),
    (r"year_ago_(\d+)", r"\1 weeks of last year around the target"),
    (r"year_ago_step(_3)?", "last year's step to the target week"),
    (r"year_ago_grown", "same week of last year, with growth since"),
    (r"year_ago_units", "units of the same week of last year"),
    (r"year_ago_origin", "last year, same date as the latest week"),
    (r"year_ago_mean_(\d+)", r"last year, mean of the same \1 weeks"),
    (r"(year|month)_(sin|cos)_(\d)", r"time of the \1 (\2 \3)"),
    (r"has_last_year", "whether there is a last year"),
    (r"weeks_since_sale", "weeks since the last sale"),
    (r"two_years_ago", "same week two years ago"),
    (r"price_step_(\d+)", r"price against its last \1 weeks"),
    (r"price_kernel", "what sold at prices like the planned one"),
    (r"promotion_kernel", "what sold under promotions like the planned one"),
    (r"feature_target", "advertised in the target week"),
    (r"deal_target", "on a deal in the target week"),
    (r"featured_level_(\d+)", r"units of advertised weeks, of the last \1"),
    (r"unfeatured_level_(\d+)", r"units of weeks without advertising, of the last \1"),
    (r"dealt_level_(\d+)", r"units of weeks on a deal, of the last \1"),
    (r"temperature", "temperature of the target week"),
    (r"precipitation", "rain of the target week"),
    (r"event_(.+)_\+0", r"\1 in the target week"),
    (r"event_(.+)_\+1", r"\1 in the week after the target"),
    (r"event_(.+)_-1", r"\1 in the week before the target"),
    (r"rival_price_least", "lowest price of a rival product"),
    (r"rival_price_mean", "mean price of rival products"),
    (r"rival_features", "rival products advertised"),
)  # fmt: skip


def family(feature: str) -> str:
    """The family of inputs that a feature belongs to; one that nobody has named counts as its own history."""
    if _GROUP.match(feature):
        return PEERS
    return next((name for pattern, name in _FAMILIES if re.match(pattern, feature)), OWN)


def label(feature: str) -> str:
    """A feature in words, with a capital letter; its plain name where there are none."""
    group = _GROUP.match(feature)
    if group:
        return f"{_words(group[2])[0].upper()}{_words(group[2])[1:]}, {GROUPS[group[1]]}"
    words = _words(feature)
    return f"{words[0].upper()}{words[1:]}"


def _words(feature: str) -> str:
    for pattern, words in _WORDS:
        found = re.fullmatch(pattern, feature)
        if found:
            return found.expand(words)
    return feature.replace("_", " ")
