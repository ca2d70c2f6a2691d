/* The background, the growth and the spectra: the numbers of the specification, and closed forms. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "sim/integrator.h"
#include "sim/spectrum.h"

static context *c;
static const cosmology planck = {.31, .69, .68, .049, .9665, .8102, 2.7255};
static const cosmology einstein_de_sitter = {1, 0, .68, .049, .9665, .8102, 2.7255};

#define OK(call) ck_assert_msg((call) == STATUS_OK, "%s", context_message(c))
#define NEAR(x, y, relative)                                                                                           \
    ck_assert_msg(fabs((x) / (y)-1) <= (relative), #x " is %.12g, not %.12g", (double)(x), (double)(y))

static void setup(void)
{
    c = context_new(NULL);
}

static void teardown(void)
{
    context_delete(&c);
}

START_TEST(growth_has_the_stated_values)
{
    NEAR(cosmology_growth(&planck, .01), .01274026, 1e-6);
    NEAR(cosmology_growth_rate(&planck, 1), .5223702, 1e-6);
    NEAR(cosmology_growth(&planck, 1), 1, 1e-15);
    /* f is the logarithmic slope of D. */
    for (double a = .02; a < 1; a *= 1.7) {
        double h = 1e-4,
               slope = log(cosmology_growth(&planck, a * exp(h)) / cosmology_growth(&planck, a * exp(-h))) / (2 * h);
        NEAR(cosmology_growth_rate(&planck, a), slope, 1e-7);
    }
}
END_TEST

/* Einstein–de Sitter: E = a^−3/2, D = a, f = 1, E2 = −3/7 a², ∫da/(a²E) = 2(√a1 − √a0), ∫da/(a³E) = 2(1/√a0 − 1/√a1).
 */
START_TEST(closed_forms)
{
    const cosmology *k = &einstein_de_sitter;
    double e2, slope;
    for (double a = .01; a < 1; a *= 2) {
        NEAR(cosmology_expansion(k, a), pow(a, -1.5), 1e-14);
        NEAR(cosmology_growth(k, a), a, 1e-11);
        NEAR(cosmology_growth_rate(k, a), 1, 1e-11);
        NEAR(cosmology_kick(k, a, 1.3 * a), 2 * (sqrt(1.3 * a) - sqrt(a)), 1e-10);
        NEAR(cosmology_drift(k, a, 1.3 * a), 2 * (1 / sqrt(a) - 1 / sqrt(1.3 * a)), 1e-10);
        cosmology_growth_second(k, a, &e2, &slope);
        NEAR(e2, -3. / 7 * a * a, 1e-8);
        NEAR(slope, -6. / 7 * a, 1e-8);
    }
    /* Parts add up; with Λ and curvature the integrals agree with a sum of 200,000 middle points. */
    const cosmology curved = {.3, .5, .7, .04, 1, .8, 2.7};
    double sum[2] = {0};
    const int points = 200000;
    for (int i = 0; i < points; i++) {
        double a = .02 + .98 * (i + .5) / points;
        sum[0] += .98 / points / (a * a * cosmology_expansion(&curved, a));
        sum[1] += .98 / points / (a * a * a * cosmology_expansion(&curved, a));
    }
    NEAR(cosmology_kick(&curved, .02, 1), sum[0], 1e-8);
    NEAR(cosmology_drift(&curved, .02, 1), sum[1], 1e-7);
    NEAR(cosmology_kick(&curved, .02, .3) + cosmology_kick(&curved, .3, 1), cosmology_kick(&curved, .02, 1), 1e-11);
    ck_assert(cosmology_kick(&curved, .5, .5) == 0);
    /* Ωm = .31 flat: E2 = −3/7 D² Ωm^−1/143 to .1 % (Bouchet et al. 1995). */
    cosmology_growth_second(&planck, 1, &e2, &slope);
    NEAR(e2, -3. / 7 * pow(.31, -1. / 143), 1e-3);
}
END_TEST

START_TEST(spectrum_has_the_stated_values)
{
    const double k[4] = {.01, .1, 1, 10}, three[4] = {21382.7, 5742.4, 65.114, .21983};
    const spectrum_options o = {.dims = 2};
    spectrum *s;
    OK(spectrum_new(c, &planck, &o, &s));
    for (int i = 0; i < 4; i++) NEAR(spectrum_three(s, k[i]), three[i], 1e-4);
    NEAR(spectrum_power(s, .1), 182.787, 1e-5);
    NEAR(spectrum_power(s, 1), 20.7264, 1e-5);
    NEAR(spectrum_sigma(s, 8), .8102, 1e-9);
    ck_assert_double_lt(spectrum_sigma(s, 16), spectrum_sigma(s, 8));
    spectrum_delete(&s);
    ck_assert_ptr_null(s);
    spectrum_delete(&s);
}
END_TEST

/* The slice has the variance of the 3D field: ∫ k dk/2π P2 = ∫ k² dk/2π² P3 (both cut at large k by the same smoothing
 * along the line is not possible, so the integrand itself is checked, by a plain sum over kz). */
START_TEST(slice_is_the_projection)
{
    const spectrum_options o = {.dims = 2, .kind = SPECTRUM_SLICE};
    spectrum *s;
    OK(spectrum_new(c, &planck, &o, &s));
    for (double k = .0123; k < 20; k *= 3.3) {
        double sum = 0, step = 1e-3;
        for (double t = -12 + step / 2; t < 12; t += step) /* kz = k sinh t, both signs */
            sum += step * k * cosh(t) * spectrum_three(s, k * cosh(t)) / (2 * M_PI);
        NEAR(spectrum_power(s, k), sum, 1e-6);
    }
    spectrum_delete(&s);
}
END_TEST

START_TEST(power_law_has_its_slope_and_sigma8)
{
    for (int dims = 2; dims <= 3; dims++) {
        const spectrum_options o = {.dims = dims, .kind = SPECTRUM_POWER_LAW, .power_index = -1.2};
        spectrum *s;
        OK(spectrum_new(c, &planck, &o, &s));
        NEAR(spectrum_power(s, 2) / spectrum_power(s, 1), pow(2, -1.2), 1e-12);
        NEAR(spectrum_sigma(s, 8), .8102, 1e-9);
        /* σ²(R) ∝ R^−(dims + index) */
        NEAR(spectrum_sigma(s, 16) / spectrum_sigma(s, 8), pow(2, -.5 * (dims - 1.2)), 1e-5);
        spectrum_delete(&s);
    }
    spectrum *s;
    const spectrum_options steep = {.dims = 2, .kind = SPECTRUM_POWER_LAW, .power_index = -2};
    ck_assert_int_eq(spectrum_new(c, &planck, &steep, &s), STATUS_USAGE);
    const spectrum_options shallow = {.dims = 2, .kind = SPECTRUM_POWER_LAW, .power_index = 1};
    ck_assert_int_eq(spectrum_new(c, &planck, &shallow, &s), STATUS_USAGE);
}
END_TEST

static void write_text(char *path, const char *text)
{
    strcpy(path, "/tmp/cosmocl-spectrum-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

/* A table of the formula's own values, off by a factor that the normalisation takes out, gives the formula. */
START_TEST(table_replaces_the_formula)
{
    char path[64], *text = calloc(1, 200000);
    size_t at = (size_t)sprintf(text, "# k P(k)\n\n");
    const spectrum_options formula = {.dims = 2};
    spectrum *s, *t;
    OK(spectrum_new(c, &planck, &formula, &s));
    for (int i = 0; i < 2000; i++) {
        double k = 1e-5 * pow(1e8, i / 1999.);
        at += (size_t)sprintf(text + at, "  %.12g\t%.12g\r\n", k, 3 * spectrum_three(s, k));
    }
    write_text(path, text);
    free(text);
    const spectrum_options o = {.dims = 2, .table = path};
    OK(spectrum_new(c, &planck, &o, &t));
    for (double k = 2e-4; k < 100; k *= 2.3) NEAR(spectrum_power(t, k), spectrum_power(s, k), 1e-4);
    NEAR(spectrum_sigma(t, 8), .8102, 1e-9);
    spectrum_delete(&s);
    spectrum_delete(&t);
    unlink(path);
}
END_TEST

START_TEST(bad_tables)
{
    static const struct {
        const char *text, *names;
    } bad[] = {{"", "rows"},
               {"0.1 10\n", "rows"},
               {"0.1 10\n0.2\n", ":2"},
               {"0.1 10\n0.2 x\n", ":2"},
               {"# k\n0.1 10\n0.1 9\n", ":3"},
               {"0.1 10\n0.2 -3\n", ":2"},
               {"0.1 10\n0.2 nan\n", ":2"},
               {"-0.1 10\n0.2 3\n", ":1"},
               {"k P\n0.2 3\n", ":1"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char path[64];
        spectrum *s;
        write_text(path, bad[i].text);
        const spectrum_options o = {.dims = 2, .table = path};
        ck_assert_int_eq(spectrum_new(c, &planck, &o, &s), STATUS_DATA);
        ck_assert_ptr_null(s);
        ck_assert_msg(strstr(context_message(c), bad[i].names) && strstr(context_message(c), path), "%s",
                      context_message(c));
        unlink(path);
    }
    spectrum *s;
    const spectrum_options missing = {.dims = 2, .table = "/nonexistent/table"};
    ck_assert_int_eq(spectrum_new(c, &planck, &missing, &s), STATUS_DATA);
}
END_TEST

START_TEST(bad_cosmologies)
{
    const cosmology bad[] = {{0, .69, .68, 0, 1, .8, 2.7},      {.3, NAN, .68, .04, 1, .8, 2.7},
                             {.3, .7, 0, .04, 1, .8, 2.7},      {.3, .7, .68, .4, 1, .8, 2.7},
                             {.01, 2, .68, .005, 1, .8, 2.7},   {.3, .7, .68, -.1, 1, .8, 2.7},
                             {.3, INFINITY, .7, .1, 1, .8, 2.7}};
    OK(cosmology_check(c, &planck));
    OK(cosmology_check(c, &einstein_de_sitter));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) ck_assert_int_eq(cosmology_check(c, &bad[i]), STATUS_USAGE);
    /* Recollapses at a = 2; and where only times after today are in question. */
    const cosmology closed = {2, 0, .7, .04, 1, .8, 2.7}, negative = {.3, -.1, .7, .04, 1, .8, 2.7};
    OK(cosmology_check(c, &closed));
    OK(cosmology_check_until(c, &closed, 1.99));
    ck_assert_int_eq(cosmology_check_until(c, &closed, 2.01), STATUS_USAGE);
    OK(cosmology_check_until(c, &planck, 1e6));
    ck_assert_int_eq(cosmology_check_until(c, &negative, 100), STATUS_USAGE);
    cosmology silent = planck;
    spectrum *s;
    silent.sigma8 = 0;
    ck_assert_int_eq(spectrum_new(c, &silent, &(spectrum_options){.dims = 2}, &s), STATUS_USAGE);
}
END_TEST

/* Steps add up to the whole, edges are uniform in √a; FastPM's step carries linear growth exactly: with g = Dψ, p =
 * a²EfDψ. */
START_TEST(steps_of_the_integrators)
{
    double open = 0;
    for (int i = 0; i < 7; i++) {
        double a0 = integrator_edge(.02, 1, 7, i), a1 = integrator_edge(.02, 1, 7, i + 1);
        NEAR(sqrt(a1) - sqrt(a0), (1 - sqrt(.02)) / 7, 1e-12);
        integrator_step s = integrator_make(&planck, INTEGRATOR_KDK, a0, a1);
        open += s.kick_open + s.kick_close;
        NEAR(s.drift, cosmology_drift(&planck, a0, a1), 1e-12);
        integrator_step f = integrator_make(&planck, INTEGRATOR_FASTPM, a0, a1);
        double d0 = cosmology_growth(&planck, a0), d1 = cosmology_growth(&planck, a1);
        double p0 = a0 * a0 * cosmology_expansion(&planck, a0) * cosmology_growth_rate(&planck, a0) * d0;
        double p1 = a1 * a1 * cosmology_expansion(&planck, a1) * cosmology_growth_rate(&planck, a1) * d1;
        double x = d0, p = p0 + f.kick_open * d0;
        x += f.drift * p;
        p += f.kick_close * x;
        NEAR(x, d1, 1e-10);
        NEAR(p, p1, 1e-10);
        /* For small steps both are the same. */
        integrator_step tiny = integrator_make(&planck, INTEGRATOR_KDK, a0, a0 * 1.001);
        integrator_step small = integrator_make(&planck, INTEGRATOR_FASTPM, a0, a0 * 1.001);
        NEAR(small.kick_open, tiny.kick_open, 1e-3);
        NEAR(small.drift, tiny.drift, 1e-3);
    }
    NEAR(open, 1.5 * .31 * cosmology_kick(&planck, .02, 1), 1e-10);
    ck_assert(integrator_edge(.02, 1, 7, 7) == 1 && integrator_edge(.02, 1, 7, 0) == .02);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cosmology");
    TCase *t = tcase_create("cosmology");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, growth_has_the_stated_values);
    tcase_add_test(t, closed_forms);
    tcase_add_test(t, spectrum_has_the_stated_values);
    tcase_add_test(t, slice_is_the_projection);
    tcase_add_test(t, power_law_has_its_slope_and_sigma8);
    tcase_add_test(t, table_replaces_the_formula);
    tcase_add_test(t, bad_tables);
    tcase_add_test(t, bad_cosmologies);
    tcase_add_test(t, steps_of_the_integrators);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
