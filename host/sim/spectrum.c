#include "sim/spectrum.h"

#include <math.h>
#include <stdlib.h>
#include "base/files.h"
#include "base/memory.h"
#include "sim/quadrature.h"

enum { SLICE_POINTS = 1024 };
static const double slice_first = 1e-5, slice_last = 1e3; /* h/Mpc, of the slice table */

struct spectrum {
    cosmology k;
    int dims;
    spectrum_kind kind;
    double amplitude; /* factor of k^ns T², of the table, or of k^index */
    double index;     /* of the power law */
    int rows;
    double *ln_k, *ln_p; /* table of P3; NULL without */
    double *slice;       /* ln P2 at SLICE_POINTS points uniform in ln k; NULL without */
};

/* Eisenstein & Hu 1998 (ApJ 496, 605), eqs. 26, 28–31: transfer function without wiggles. */
static double transfer(const cosmology *c, double k)
{
    double om = c->omega_m * c->h * c->h, ob = c->omega_b * c->h * c->h, theta = c->t_cmb / 2.7;
    double sound = 44.5 * log(9.83 / om) / sqrt(1 + 10 * pow(ob, .75)); /* Mpc */
    double share = c->omega_b / c->omega_m;
    double alpha = 1 - .328 * log(431 * om) * share + .38 * log(22.3 * om) * share * share;
    double x = .43 * k * c->h * sound, x2 = x * x;
    double gamma = c->omega_m * c->h * (alpha + (1 - alpha) / (1 + x2 * x2));
    double q = k * theta * theta / gamma;
    double l0 = log(2 * M_E + 1.8 * q), c0 = 14.2 + 731 / (1 + 62.5 * q);
    return l0 / (l0 + c0 * q * q);
}

/* Linear in (ln k, ln P) with the end slopes beyond the table. */
static double table_value(const spectrum *s, double k)
{
    double x = log(k);
    int low = 0, high = s->rows - 1;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (s->ln_k[middle] <= x)
            low = middle;
        else
            high = middle;
    }
    double slope = (s->ln_p[high] - s->ln_p[low]) / (s->ln_k[high] - s->ln_k[low]);
    return exp(s->ln_p[low] + slope * (x - s->ln_k[low]));
}

double spectrum_three(const spectrum *s, double k)
{
    if (s->kind == SPECTRUM_POWER_LAW) return s->amplitude * pow(k, s->index);
    if (s->rows) return s->amplitude * table_value(s, k);
    double t = transfer(&s->k, k);
    return s->amplitude * pow(k, s->k.ns) * t * t;
}

typedef struct {
    const spectrum *s;
    double radius, k;
} integral;

static bool in_discs(const spectrum *s)
{
    return s->dims == 2 && s->kind == SPECTRUM_POWER_LAW;
}

/* dσ²/dlnk with the window of a ball, 3(sin x − x cos x)/x³, or of a disc, 2 J1(x)/x; their series where x is small. */
static double sigma_integrand(double ln_k, const void *user)
{
    const integral *in = user;
    double k = exp(ln_k), x = k * in->radius;
    if (in_discs(in->s)) {
        double w = x < 1e-2 ? 1 - x * x / 8 + x * x * x * x / 192 : 2 * j1(x) / x;
        return spectrum_power(in->s, k) * k * k * w * w / (2 * M_PI);
    }
    double w = x < 1e-2 ? 1 - x * x / 10 + x * x * x * x / 280 : 3 * (sin(x) - x * cos(x)) / (x * x * x);
    return spectrum_three(in->s, k) * k * k * k * w * w / (2 * M_PI * M_PI);
}

double spectrum_sigma(const spectrum *s, double r)
{
    integral in = {s, r, 0};
    double low = log(1e-7 / r), middle = log(1 / r), high = log(400 / r);
    double sum = quadrature(sigma_integrand, &in, low, middle) + quadrature(sigma_integrand, &in, middle, high);
    /* Beyond kr = 400 the windows go as x^-3 (disc: 4/π) and x^-4 (ball: 9/2) on the mean; below 1e-9 of σ² unless the
     * spectrum is a shallow power law. */
    double k = 400 / r;
    if (s->kind == SPECTRUM_POWER_LAW)
        sum +=
            (in_discs(s) ? spectrum_power(s, k) * k * k / (2 * M_PI) * (4 / M_PI) / (400. * 400. * 400.)
                         : spectrum_three(s, k) * k * k * k / (2 * M_PI * M_PI) * 4.5 / (400. * 400. * 400. * 400.)) /
            (1 - s->index);
    return sqrt(sum);
}

/* P3(√(k² + kz²)) dkz/π with kz = k sinh t: the line of sight in a variable that spans all scales evenly. */
static double slice_integrand(double t, const void *user)
{
    const integral *in = user;
    return spectrum_three(in->s, in->k * cosh(t)) * in->k * cosh(t) / M_PI;
}

static status slice_table(context *c, spectrum *s)
{
    status result = memory_new(c, "slice spectrum", SLICE_POINTS, sizeof(double), &s->slice);
    if (result) return result;
    for (int i = 0; i < SLICE_POINTS; i++) {
        integral in = {s, 0, slice_first * pow(slice_last / slice_first, i / (SLICE_POINTS - 1.))};
        /* The integrand falls as k^-2 or faster far out: 1e-13 of it is left at cosh t = 3e6. */
        double value = quadrature(slice_integrand, &in, 0, 16);
        if (!(value > 0) || !isfinite(value))
            return context_fail(c, STATUS_DATA,
                                "slice spectrum at k = %g h/Mpc is %g; the P(k) table must fall at large k", in.k,
                                value);
        s->slice[i] = log(value);
    }
    return STATUS_OK;
}

/* Cubic (Catmull–Rom) in (ln k, ln P2): good to 1e-7 at 55 points per decade. */
static double slice_value(const spectrum *s, double k)
{
    double x = (log(k) - log(slice_first)) / (log(slice_last) - log(slice_first)) * (SLICE_POINTS - 1);
    int i = (int)fmin(fmax(floor(x), 1), SLICE_POINTS - 3);
    double t = x - i, a = s->slice[i - 1], b = s->slice[i], e = s->slice[i + 1], d = s->slice[i + 2];
    return exp(b + .5 * t * (e - a + t * (2 * a - 5 * b + 4 * e - d + t * (3 * (b - e) + d - a))));
}

double spectrum_power(const spectrum *s, double k)
{
    if (s->dims == 3 || s->kind == SPECTRUM_POWER_LAW) return spectrum_three(s, k);
    if (s->kind == SPECTRUM_SLICE) return slice_value(s, k);
    return k * spectrum_three(s, k) / M_PI;
}

/* One line of a table: 1 a row, 0 blank or comment, −1 neither. Columns are k and P. */
static int table_line(const char *line, double *k, double *p)
{
    while (*line == ' ' || *line == '\t' || *line == '\r') line++;
    if (*line == 0 || *line == '\n' || *line == '#') return 0;
    char *end;
    *k = strtod(line, &end);
    if (end == line) return -1;
    while (*end == ' ' || *end == '\t' || *end == ',') end++;
    char *second = end;
    *p = strtod(second, &end);
    return end == second || !isfinite(*k) || !isfinite(*p) ? -1 : 1;
}

static status table_read(context *c, spectrum *s, const char *path)
{
    char *text = NULL;
    size_t size;
    int lines = 0, number = 0;
    status result = files_read(c, path, &text, &size);
    if (result) goto out;
    for (size_t i = 0; i < size; i++) lines += text[i] == '\n';
    result = memory_new(c, "P(k) table", (size_t)lines + 1, sizeof(double), &s->ln_k);
    if (!result) result = memory_new(c, "P(k) table", (size_t)lines + 1, sizeof(double), &s->ln_p);
    if (result) goto out;
    for (char *line = text, *next; line; line = next) {
        double k = 0, p = 0;
        next = line;
        while (*next && *next != '\n') next++;
        next = *next ? (*next = 0, next + 1) : NULL;
        number++;
        int kind = table_line(line, &k, &p);
        if (kind == 0) continue;
        if (kind < 0 || k <= 0 || p <= 0) {
            result = context_fail(c, STATUS_DATA,
                                  "%s:%d: expected two positive numbers, k [h/Mpc] and P(k) [(Mpc/h)^3]", path, number);
            goto out;
        }
        if (s->rows && log(k) <= s->ln_k[s->rows - 1]) {
            result = context_fail(c, STATUS_DATA, "%s:%d: k = %g does not ascend", path, number, k);
            goto out;
        }
        s->ln_k[s->rows] = log(k);
        s->ln_p[s->rows++] = log(p);
    }
    if (s->rows < 2)
        result = context_fail(c, STATUS_DATA, "%s: a P(k) table needs two rows or more; it has %d", path, s->rows);
out:
    memory_delete(&text);
    return result;
}

status spectrum_new(context *c, const cosmology *k, const spectrum_options *o, spectrum **out)
{
    spectrum *s = NULL;
    *out = NULL;
    if (o->kind == SPECTRUM_POWER_LAW && !(o->power_index > -o->dims && o->power_index < 1))
        return context_fail(c, STATUS_USAGE,
                            "simulate.power_index is %g; sigma8 of a power law in %dD exists between %d and 1 only",
                            o->power_index, o->dims, -o->dims);
    status result = memory_new(c, "spectrum", 1, sizeof *s, &s);
    if (result) return result;
    *s = (spectrum){.k = *k, .dims = o->dims, .kind = o->kind, .amplitude = 1, .index = o->power_index};
    if (o->table && *o->table && (result = table_read(c, s, o->table))) goto out;
    double unit = spectrum_sigma(s, 8);
    s->amplitude = k->sigma8 * k->sigma8 / (unit * unit);
    if (!(s->amplitude > 0) || !isfinite(s->amplitude)) {
        result = context_fail(c, STATUS_USAGE, "cosmology.sigma8 is %g, which gives no spectrum; it must be above 0",
                              k->sigma8);
        goto out;
    }
    if (s->dims == 2 && s->kind == SPECTRUM_SLICE) result = slice_table(c, s);
out:
    if (result) spectrum_delete(&s);
    *out = s;
    return result;
}

void spectrum_delete(spectrum **s)
{
    if (!s || !*s) return;
    memory_delete(&(*s)->ln_k);
    memory_delete(&(*s)->ln_p);
    memory_delete(&(*s)->slice);
    memory_delete(s);
}
