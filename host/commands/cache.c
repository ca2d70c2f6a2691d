/* cosmocl cache: what is kept between runs (built kernels, self-test verdicts, tuning), and its removal. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/hash.h"
#include "commands/common.h"

/* The only folders that are looked into, and with the choices the files WHAT-HASH beside them (WHAT of small letters,
 * HASH of 32 hexadecimal digits). What else lies there is never touched: the folder may be one of the user's. */
static const char *const parts[] = {"kernels", "selftest", "tuning", "choices"};
static const char *const folders[] = {"kernels", "selftest", "tuning", "."};
enum { PARTS = sizeof parts / sizeof *parts };

typedef struct {
    long files;
    double bytes;
} usage;

/* "fft-0123456789abcdef0123456789abcdef", with or without an ending. */
static bool is_choice(const char *name)
{
    const size_t what = strspn(name, "abcdefghijklmnopqrstuvwxyz");
    if (!what || name[what] != '-') return false;
    const char *hash = name + what + 1, *end = hash + strspn(hash, "0123456789abcdef");
    return end - hash == HASH_TEXT - 1 && (!*end || *end == '.');
}

/* Counts, or removes, the plain files of one part; links are not followed. */
static status walk(context *c, const char *folder, const char *part, bool clear, usage *u)
{
    char path[FILES_PATH];
    status s = files_path(c, path, "%s/%s", folder, part);
    DIR *dir = s ? NULL : opendir(path);
    if (!dir) return s; /* not made yet */
    for (struct dirent *e; !s && (e = readdir(dir));) {
        struct stat info;
        if (!strcmp(part, ".") && !is_choice(e->d_name)) continue;
        if (fstatat(dirfd(dir), e->d_name, &info, AT_SYMLINK_NOFOLLOW) || !S_ISREG(info.st_mode)) continue;
        if (clear && unlinkat(dirfd(dir), e->d_name, 0) && errno != ENOENT)
            s = context_fail(c, STATUS_FAILURE, "%s/%s: cannot be removed: %s", path, e->d_name, strerror(errno));
        u->files++;
        u->bytes += (double)info.st_size;
    }
    closedir(dir);
    return s;
}

static status print_json(context *c, const char *folder, const usage *u, bool cleared)
{
    json_t *all = json_pack("{s:i, s:s, s:b}", "schema", 1, "folder", folder, "cleared", cleared);
    for (int i = 0; i < PARTS; i++)
        json_object_set_new(all, parts[i],
                            json_pack("{s:I, s:I}", "files", (json_int_t)u[i].files, "bytes", (json_int_t)u[i].bytes));
    return common_print_json(c, all, JSON_INDENT(2));
}

status command_cache(context *c, const command_line *line)
{
    char folder[FILES_PATH], own[FILES_PATH];
    usage u[PARTS] = {{0}};
    const bool clear = command_flag_given(line, "clear");
    status s = files_cache_folder(c, folder);
    if (!s) s = files_own_folder(c, own); /* another one in a job whose cache is its node's */
    for (int i = 0; i < PARTS && !s; i++)
        s = walk(c, strcmp(folders[i], "tuning") ? folder : own, folders[i], clear, &u[i]);
    if (s) return s;
    if (line->json) return print_json(c, folder, u, clear);
    printf("%s\n", folder);
    for (int i = 0; i < PARTS; i++)
        printf("  %-9s %5ld files  %8.1f KiB%s\n", parts[i], u[i].files, u[i].bytes / 1024,
               clear && u[i].files ? ", removed" : "");
    return STATUS_OK;
}
