#include "maps/queue.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include "base/memory.h"

enum { MOST_THREADS = 256 };

typedef struct {
    double *positions;
    int64_t n, slot;
    double box;
} job;

struct dtfe_queue {
    int threads, started, pixels;
    dtfe_ensemble ensemble;
    float *values; /* borrowed */
    pthread_t *thread;
    context **contexts; /* one per thread */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* anything below */
    job *jobs;              /* ring of `threads` */
    int first, waiting, running;
    int64_t done;
    bool closing;
    status failed; /* of the lowest slot */
    int64_t failed_slot;
    context *failure; /* its message */
    int next_context;
};

/* Under the lock. */
static void note_failure(dtfe_queue *q, const context *from, status s, int64_t slot)
{
    if (q->failed && q->failed_slot <= slot) return;
    q->failed = s;
    q->failed_slot = slot;
    context_take(q->failure, from, s);
}

static void *work(void *user)
{
    dtfe_queue *q = user;
    pthread_mutex_lock(&q->lock);
    context *c = q->contexts[q->next_context++];
    for (;;) {
        while (q->waiting == 0 && !q->closing) pthread_cond_wait(&q->changed, &q->lock);
        if (q->waiting == 0) break;
        job j = q->jobs[q->first];
        q->first = (q->first + 1) % q->threads;
        q->waiting--;
        q->running++;
        pthread_cond_broadcast(&q->changed);
        pthread_mutex_unlock(&q->lock);
        size_t pixels = (size_t)q->pixels * (size_t)q->pixels;
        status s = dtfe_map_ensemble(c, j.positions, NULL, j.n, j.box, q->pixels, &q->ensemble,
                                     q->values + (size_t)j.slot * pixels);
        memory_delete(&j.positions);
        pthread_mutex_lock(&q->lock);
        q->running--;
        q->done++;
        if (s) note_failure(q, c, s, j.slot);
        pthread_cond_broadcast(&q->changed);
    }
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

status dtfe_queue_new(context *c, int threads, int pixels, const dtfe_ensemble *e, float *values, dtfe_queue **out)
{
    dtfe_queue *q = NULL;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (threads <= 0) threads = cores < 1 ? 1 : (int)cores;
    if (threads > MOST_THREADS) threads = MOST_THREADS;
    *out = NULL;
    status s = memory_new(c, "queue of maps", 1, sizeof *q, &q);
    if (s) return s;
    q->threads = threads;
    q->pixels = pixels;
    q->ensemble = *e;
    q->values = values;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->changed, NULL);
    s = memory_new(c, "queue of maps", (size_t)threads, sizeof *q->jobs, &q->jobs);
    if (!s) s = memory_new(c, "queue of maps", (size_t)threads, sizeof *q->thread, &q->thread);
    if (!s) s = memory_new(c, "queue of maps", (size_t)threads, sizeof *q->contexts, &q->contexts);
    q->failure = context_child(c);
    for (int i = 0; !s && i < threads; i++) {
        q->contexts[i] = context_child(c);
        if (!q->contexts[i] || !q->failure) s = context_fail(c, STATUS_MEMORY, "queue of maps: no memory");
    }
    for (int i = 0; !s && i < threads; i++) {
        int error = pthread_create(&q->thread[i], NULL, work, q);
        if (error) s = context_fail(c, STATUS_FAILURE, "cannot start a thread: %s", strerror(error));
        if (!error) q->started++;
    }
    if (s)
        dtfe_queue_delete(&q);
    else
        *out = q;
    return s;
}

status dtfe_queue_push(context *c, dtfe_queue *q, double **positions, int64_t n, double box, int64_t slot)
{
    status s = STATUS_OK;
    pthread_mutex_lock(&q->lock);
    while (q->waiting == q->threads && !q->failed) pthread_cond_wait(&q->changed, &q->lock);
    if (q->failed)
        s = context_prefix(c, context_take(c, q->failure, q->failed), "box %" PRId64, q->failed_slot);
    else if (context_stop_requested(c))
        s = context_fail(c, STATUS_INTERRUPTED, "stopped on request");
    else {
        q->jobs[(q->first + q->waiting++) % q->threads] = (job){*positions, n, slot, box};
        *positions = NULL;
        pthread_cond_broadcast(&q->changed);
    }
    pthread_mutex_unlock(&q->lock);
    memory_delete(positions);
    return s;
}

int64_t dtfe_queue_done(dtfe_queue *q)
{
    pthread_mutex_lock(&q->lock);
    int64_t done = q->done;
    pthread_mutex_unlock(&q->lock);
    return done;
}

status dtfe_queue_finish(context *c, dtfe_queue *q)
{
    status s = STATUS_OK;
    pthread_mutex_lock(&q->lock);
    while (q->waiting + q->running > 0) pthread_cond_wait(&q->changed, &q->lock);
    if (q->failed) s = context_prefix(c, context_take(c, q->failure, q->failed), "box %" PRId64, q->failed_slot);
    pthread_mutex_unlock(&q->lock);
    return s;
}

void dtfe_queue_delete(dtfe_queue **queue)
{
    if (!queue || !*queue) return;
    dtfe_queue *q = *queue;
    pthread_mutex_lock(&q->lock);
    for (; q->waiting > 0; q->waiting--) {
        memory_delete(&q->jobs[q->first].positions);
        q->first = (q->first + 1) % q->threads;
    }
    q->closing = true;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
    for (int i = 0; i < q->started; i++) pthread_join(q->thread[i], NULL);
    for (int i = 0; q->contexts && i < q->threads; i++) context_delete(&q->contexts[i]);
    context_delete(&q->failure);
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->lock);
    memory_delete(&q->jobs);
    memory_delete(&q->thread);
    memory_delete(&q->contexts);
    memory_delete(queue);
}
