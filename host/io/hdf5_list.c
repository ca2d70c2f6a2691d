/* What datasets a file holds. */
#include "io/hdf5_file.h"

#include <stdio.h>

typedef struct {
    h5_list_visitor *visit;
    void *user;
} visitor;

static herr_t visit(hid_t file, const char *name, const H5O_info_t *info, void *user)
{
    char path[FILES_PATH];
    const visitor *v = user;
    (void)file;
    if (info->type != H5O_TYPE_DATASET) return 0;
    if (snprintf(path, sizeof path, "/%s", name) >= (int)sizeof path) return 0;
    return v->visit(v->user, path) ? 0 : 1;
}

status h5_list_datasets(context *c, h5_file *f, h5_list_visitor *each, void *user)
{
    visitor v = {each, user};
    if (H5Ovisit(f->id, H5_INDEX_NAME, H5_ITER_INC, visit, &v) >= 0) return STATUS_OK;
    return h5_fail(c, f, STATUS_DATA, "/", "its objects cannot be listed: the file is damaged");
}
