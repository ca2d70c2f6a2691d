/* cosmocl doctor: where kernels are kept between runs, and where results are written. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/files.h"
#include "base/isolate.h"
#include "commands/doctor.h"
#include "io/hdf5.h"

enum { SPACE_MIB = 200, FILE_TIMEOUT_S = 60 };

/* Kernels built for devices and drivers that are not here. Where only some drivers are looked at, or none answers,
 * nothing is known of them. */
static status check_stale(doctor *d, const char *folder)
{
    health_cache u;
    if (!d->count || getenv("OCL_ICD_VENDORS")) return STATUS_OK;
    status s = health_cache_survey(d->c, folder, d->list, d->count, &u);
    if (s) return s;
    if (u.stale)
        doctor_find(d, NOTE, "cache", "cosmocl cache --clear, unless another machine that shares the folder uses them",
                    "%d of %d built kernels (%.1f MiB) are of devices, drivers or versions that are not here", u.stale,
                    u.files, u.stale_bytes / (1 << 20));
    if (u.damaged)
        doctor_find(d, NOTE, "cache", "cosmocl cache --clear; check the disk when it happens again",
                    "%d of %d built kernels are damaged (they are made anew when they are wanted)", u.damaged, u.files);
    return STATUS_OK;
}

static status check_cache(doctor *d)
{
    char folder[FILES_PATH], path[FILES_PATH];
    struct statvfs space;
    const char *mend = "set COSMOCL_CACHE to a folder of your own on a local disk";
    status s = files_cache_folder(d->c, folder);
    if (!s) s = files_path(d->c, path, "%s/doctor", folder);
    if (!s) s = files_replace(d->c, path, "x", 1);
    if (s) {
        doctor_find(d, NOTE, "cache", mend, "built kernels cannot be kept: %s", context_message(d->c));
        return STATUS_OK;
    }
    unlink(path);
    const double mib =
        statvfs(folder, &space) ? SPACE_MIB : (double)space.f_bavail * (double)space.f_frsize / (1 << 20);
    if (mib < SPACE_MIB)
        doctor_find(d, NOTE, "cache", mend, "%s has only %.0f MiB left", folder, mib);
    else
        doctor_find(d, FINE, "cache", NULL, "%s", folder);
    return check_stale(d, folder);
}

/* ---- the folder of the results */

/* File systems that several machines share, by the magic number of statfs(2). */
static const char *network_file_system(const char *folder)
{
    static const struct {
        unsigned long magic;
        const char *name;
    } known[] = {{0x6969, "NFS"},       {0x0bd00bd0, "Lustre"}, {0x47504653, "GPFS"}, {0x19830326, "BeeGFS"},
                 {0xff534d42, "CIFS"},  {0xfe534d42, "SMB"},    {0x00c36400, "Ceph"}, {0x5346414f, "AFS"},
                 {0x7461636f, "OCFS2"}, {0x01161970, "GFS2"},   {0xaad7aaea, "PanFS"}};
    struct statfs f;
    if (statfs(folder, &f)) return NULL;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (((unsigned long)f.f_type & 0xffffffffUL) == known[i].magic) return known[i].name;
    return NULL;
}

typedef struct {
    int lock_error;    /* of flock(2), errno; 0: locks work */
    char trouble[512]; /* why no HDF5 file can be written and read; "" when it can */
} storage_answer;

static int lock_error(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const int error = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) && errno != EWOULDBLOCK ? errno : 0;
    if (fd >= 0) close(fd);
    return error;
}

/* Writes an HDF5 file in the folder and reads it back; tries a lock as the HDF5 library of other programs does. */
static status try_folder(context *c, const void *user, void *data, size_t *size)
{
    char path[FILES_PATH];
    h5_file *f = NULL;
    const float out[3] = {1, 2, 3};
    float in[3] = {0};
    storage_answer a = {0};
    status s = files_path(c, path, "%s/.cosmocl-doctor-%d.h5", (const char *)user, (int)getpid());
    if (!s) s = h5_create(c, path, sizeof out, &f);
    if (!s) s = h5_write(c, f, "/x", H5_FLOAT32, 1, (const uint64_t[]){3}, out);
    if (!s) s = h5_finish(c, &f);
    h5_delete(&f);
    if (!s) a.lock_error = lock_error(path);
    if (!s) s = h5_open(c, path, &f);
    if (!s) s = h5_read(c, f, "/x", H5_FLOAT32, 3, in);
    h5_delete(&f);
    if (!s && memcmp(in, out, sizeof in)) s = context_fail(c, STATUS_DATA, "what was written is not what is read");
    if (s) snprintf(a.trouble, sizeof a.trouble, "%s", context_message(c));
    unlink(path);
    memcpy(data, &a, sizeof a);
    *size = sizeof a;
    return STATUS_OK;
}

static status check_results(doctor *d)
{
    char folder[FILES_PATH];
    isolate_result r;
    storage_answer a = {0};
    if (!getcwd(folder, sizeof folder)) {
        doctor_find(d, NOTE, "folder", "change to a folder that is there", "the working folder: %s", strerror(errno));
        return STATUS_OK;
    }
    status s = isolate_run(d->c, try_folder, folder, FILE_TIMEOUT_S, &a, sizeof a, &r);
    if (s) return s;
    if (r.s) snprintf(a.trouble, sizeof a.trouble, "%s", r.reason);
    const char *network = network_file_system(folder);
    char kind[64] = "";
    if (network) snprintf(kind, sizeof kind, " (%s)", network);
    if (a.lock_error)
        doctor_find(d, a.trouble[0] ? BAD : NOTE, "folder", "export HDF5_USE_FILE_LOCKING=FALSE",
                    "%s%s: files cannot be locked (%s)%s%s", folder, kind, strerror(a.lock_error),
                    a.trouble[0] ? ", and none can be read: "
                                 : "; cosmocl reads without locks, but h5py and other programs fail",
                    a.trouble);
    else if (a.trouble[0])
        doctor_find(d, NOTE, "folder", "write results elsewhere with -o",
                    "%s%s: no HDF5 file can be written and read: %s", folder, kind, a.trouble);
    else
        doctor_find(d, FINE, "folder", NULL, "%s%s: HDF5 files are written and read", folder, kind);
    return STATUS_OK;
}

status doctor_storage(doctor *d)
{
    status s = check_cache(d);
    return s ? s : check_results(d);
}
