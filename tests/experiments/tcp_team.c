/* A team over TCP, without MPI: what HILLOCK_TEAM or hk_train_options.team may be, and the network of
 * tests/experiments/network.sh. TEAM_RANK and TEAM_HOSTS, "10.0.0.1,10.0.0.2", say who is where; a message is
 * TEAM_DELAY_US longer on its way than the network makes it. At the end, bytes sent go to standard error. */
#include "modules/team.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 64, PORT = 24600 };

static int rank, ranks, sockets[MOST];
static double longest_wait;
static long delay_us;
static size_t bytes_sent, messages;

/* The lower number listens, the higher one calls until somebody is there. */
static int connect_to(int partner, const struct sockaddr_in *hosts)
{
    struct sockaddr_in at = hosts[rank < partner ? rank : partner];
    at.sin_port = htons((uint16_t)(PORT + (rank < partner ? rank : partner) * MOST +
                                   (rank < partner ? partner : rank)));
    const int it = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    int found = it;
    setsockopt(it, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (rank < partner) {
        if (bind(it, (struct sockaddr *)&at, sizeof at) || listen(it, 1))
            return -1;
        found = accept(it, NULL, NULL);
        close(it);
    } else {
        while (connect(it, (struct sockaddr *)&at, sizeof at)) {
            if (errno != ECONNREFUSED)
                return -1;
            nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        }
    }
    setsockopt(found, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return found;
}

/* Both directions at once: a partner that only sends would fill the buffers on its way. */
static const char *exchange(void *user, int partner, const void *out, size_t out_bytes, void *in,
                            size_t in_bytes)
{
    size_t sent = 0, received = 0;
    (void)user;
    nanosleep(&(struct timespec){.tv_nsec = delay_us * 1000}, NULL);
    while (sent < out_bytes || received < in_bytes) {
        struct pollfd at = {.fd = sockets[partner]};
        at.events = (short)((sent < out_bytes ? POLLOUT : 0) | (received < in_bytes ? POLLIN : 0));
        if (poll(&at, 1, (int)(1000 * longest_wait)) != 1)
            return "no answer";
        if (at.revents & POLLOUT) {
            const ssize_t n = send(at.fd, (const char *)out + sent, out_bytes - sent,
                                   MSG_DONTWAIT | MSG_NOSIGNAL);
            if (n < 0 && errno != EAGAIN)
                return strerror(errno);
            sent += n > 0 ? (size_t)n : 0;
        }
        if (at.revents & (POLLIN | POLLHUP | POLLERR)) {
            const ssize_t n = recv(at.fd, (char *)in + received, in_bytes - received, MSG_DONTWAIT);
            if (n == 0)
                return "it has ended";
            if (n < 0 && errno != EAGAIN)
                return strerror(errno);
            received += n > 0 ? (size_t)n : 0;
        }
    }
    bytes_sent += out_bytes;
    messages++;
    return NULL;
}

static const char *open_team(hk_team *team, double wait)
{
    struct sockaddr_in hosts[MOST];
    const char *list = getenv("TEAM_HOSTS"), *number = getenv("TEAM_RANK"),
               *late = getenv("TEAM_DELAY_US");
    if (!list || !number)
        return "TEAM_RANK and TEAM_HOSTS are not set";
    longest_wait = wait;
    rank = atoi(number);
    delay_us = late ? atol(late) : 0;
    char *copy = strdup(list);
    for (char *rest = copy, *host; (host = strsep(&rest, ",")) && ranks < MOST; ranks++) {
        hosts[ranks] = (struct sockaddr_in){.sin_family = AF_INET};
        if (!inet_aton(host, &hosts[ranks].sin_addr))
            return "TEAM_HOSTS has something that is no address";
    }
    free(copy);
    for (int apart = 1; apart < ranks; apart *= 2)
        if ((sockets[rank ^ apart] = connect_to(rank ^ apart, hosts)) < 0)
            return strerror(errno);
    *team = (hk_team){.rank = rank, .ranks = ranks, .exchange = exchange};
    return NULL;
}

static void close_team(int status)
{
    (void)status; /* whose sockets close is missed by the others */
    fprintf(stderr, "process %d of %d: %zu bytes in %zu messages\n", rank, ranks, bytes_sent,
            messages);
}

const team_entry hillock_team = {.version = TEAM_VERSION, .open = open_team, .close = close_team};
