/* SHA-256 against the vectors of FIPS 180 and its streaming; XXH3 against known values. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "base/hash.h"

static void digest_of(const void *data, size_t size, size_t piece, char text[SHA256_TEXT])
{
    sha256 h;
    unsigned char digest[SHA256_BYTES];
    sha256_begin(&h);
    for (size_t i = 0; i < size; i += piece)
        sha256_add(&h, (const char *)data + i, size - i < piece ? size - i : piece);
    sha256_end(&h, digest);
    sha256_text(digest, text);
}

START_TEST(sha256_vectors)
{
    static const char *const vectors[][2] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrst"
         "nopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"}};
    char text[SHA256_TEXT];
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        digest_of(vectors[i][0], strlen(vectors[i][0]), 1000, text);
        ck_assert_str_eq(text, vectors[i][1]);
    }
    char *million = malloc(1000000);
    memset(million, 'a', 1000000);
    digest_of(million, 1000000, 1000000, text);
    ck_assert_str_eq(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}
END_TEST

START_TEST(sha256_in_pieces)
{
    unsigned char data[300];
    char whole[SHA256_TEXT], parts[SHA256_TEXT];
    for (int i = 0; i < 300; i++) data[i] = (unsigned char)(i * 7);
    for (size_t size = 0; size <= 300; size += 13) {
        digest_of(data, size, 1000, whole);
        for (size_t piece = 1; piece < 140; piece += 9) {
            digest_of(data, size, piece, parts);
            ck_assert_str_eq(whole, parts);
        }
    }
}
END_TEST

START_TEST(xxh3_and_files)
{
    char text[HASH_TEXT], of_file[HASH_TEXT];
    hash_bytes("", 0, text);
    ck_assert_str_eq(text, "99aa06d3014798d86001c324468d497f"); /* of xxHash's own documentation */
    context *c = context_new(NULL);
    size_t size = 3 * (1 << 20) + 17; /* more than one chunk */
    char *data = malloc(size);
    for (size_t i = 0; i < size; i++) data[i] = (char)(i * i >> 3);
    char path[] = "/tmp/cosmocl-hash-XXXXXX";
    close(mkstemp(path));
    ck_assert_int_eq(files_replace(c, path, data, size), STATUS_OK);
    hash_bytes(data, size, text);
    ck_assert_int_eq(hash_file(c, path, of_file), STATUS_OK);
    ck_assert_str_eq(text, of_file);
    unlink(path);
    ck_assert_int_eq(hash_file(c, path, of_file), STATUS_DATA);
    ck_assert_ptr_nonnull(strstr(context_message(c), path));
    ck_assert_int_eq(hash_file(c, "/tmp", of_file), STATUS_DATA);
    free(data);
    context_delete(&c);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("hash");
    TCase *t = tcase_create("hash");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, sha256_vectors);
    tcase_add_test(t, sha256_in_pieces);
    tcase_add_test(t, xxh3_and_files);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
