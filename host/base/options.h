/* The one typed table of options: it yields the configuration parser, --help, `config explain` and data/explained.ini.
 */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

typedef enum {
    OPTION_INTEGER,
    OPTION_REAL,
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_CHOICE,
    OPTION_LIST,
    OPTION_INTEGER_LIST
} option_type;

typedef struct {
    const char *key; /* "gan.batch" */
    option_type type;
    const char *value;       /* default, as text */
    const char *unit;        /* "", "Mpc/h", … */
    double minimum, maximum; /* of numbers, inclusive */
    const char *choices;     /* "a|b|c" of choices */
    const char *meaning;     /* one or two sentences */
} option;

extern const option options[];
extern const int options_count;

/* The sections in the order in which they are written, ended by a NULL name. */
typedef struct {
    const char *name, *meaning;
} option_section;
extern const option_section option_sections[];

/* NULL when there is none. */
const option *options_find(const char *key);
/* The nearest existing key by edit distance, NULL if nothing is near. */
const char *options_suggest(const char *key);

/* Number of edits (insert, delete, replace, swap of neighbours) between two words, INT_MAX when they are far apart in
 * length: for suggestions. */
int options_distance(const char *a, const char *b);
/* The unit of a key as text for people: "integer", "list of numbers", …  */
const char *options_type_text(const option *o);

#endif
