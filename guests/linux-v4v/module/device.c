// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The device file. Threat surface: arguments of programs; each is copied once.
 */

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "endpoint.h"

static const struct file_operations device_fops;

static bool is_no_wait(const struct file *file)
{
    return file->f_flags & O_NONBLOCK;
}

/* ---- Requests ------------------------------------------------------------
 */

static long bind_with(struct v4v_end *e, void __user *arg,
                      int (*bind)(struct v4v_end *, struct v4v_dev_bind *))
{
    struct v4v_dev_bind req;
    long rc;

    if (copy_from_user(&req, arg, sizeof(req))) {
        return -EFAULT;
    }
    if (mutex_lock_interruptible(&e->setup)) {
        return -ERESTARTSYS;
    }
    rc = bind(e, &req);
    mutex_unlock(&e->setup);
    if (rc == 0 && copy_to_user(arg, &req, sizeof(req))) {
        rc = -EFAULT;
    }
    return rc;
}

static long request_bind(struct file *file, void __user *arg)
{
    return bind_with(file->private_data, arg, v4v_datagram_bind);
}

static long request_listen(struct file *file, void __user *arg)
{
    return bind_with(file->private_data, arg, v4v_stream_listen);
}

static long request_connect(struct file *file, void __user *arg)
{
    struct v4v_end *e = file->private_data;
    struct v4v_dev_connect req;
    long rc;

    if (copy_from_user(&req, arg, sizeof(req))) {
        return -EFAULT;
    }
    if (mutex_lock_interruptible(&e->setup)) {
        return -ERESTARTSYS;
    }
    rc = v4v_stream_connect(e, &req, is_no_wait(file));
    mutex_unlock(&e->setup);
    return rc;
}

/* A file for the stream. The stream is the file's, or gone. */
static long stream_install(struct v4v_end *stream, u32 flags)
{
    struct file *file;
    int fd = get_unused_fd_flags(flags & O_CLOEXEC);

    if (fd < 0) {
        v4v_end_close(stream);
        return fd;
    }
    file = anon_inode_getfile("[v4v]", &device_fops, stream,
                              O_RDWR | (flags & O_NONBLOCK));
    if (IS_ERR(file)) {
        put_unused_fd(fd);
        v4v_end_close(stream);
        return PTR_ERR(file);
    }
    fd_install(fd, file);
    return fd;
}

static long request_accept(struct file *file, void __user *arg)
{
    struct v4v_dev_accept req;
    struct v4v_end *stream;
    long rc;

    if (copy_from_user(&req, arg, sizeof(req))) {
        return -EFAULT;
    }
    if (req.flags & ~(u32)(O_CLOEXEC | O_NONBLOCK) || req.pad) {
        return -EINVAL;
    }
    rc = v4v_stream_accept(file->private_data, &stream, is_no_wait(file));
    if (rc) {
        return rc;
    }
    req.peer = stream->peer;
    if (copy_to_user(arg, &req, sizeof(req))) {
        v4v_end_close(stream);
        return -EFAULT;
    }
    return stream_install(stream, req.flags);
}

static long request_send(struct file *file, void __user *arg)
{
    struct v4v_dev_message m;

    if (copy_from_user(&m, arg, sizeof(m))) {
        return -EFAULT;
    }
    return v4v_datagram_send(file->private_data, &m, is_no_wait(file));
}

static long request_receive(struct file *file, void __user *arg)
{
    struct v4v_dev_message m;
    struct iov_iter to;
    long rc;

    if (copy_from_user(&m, arg, sizeof(m))) {
        return -EFAULT;
    }
    iov_iter_ubuf(&to, READ, u64_to_user_ptr(m.data), m.size);
    rc = v4v_datagram_receive(file->private_data, &m, &to, is_no_wait(file));
    if (rc >= 0 && copy_to_user(arg, &m, sizeof(m))) {
        rc = -EFAULT;
    }
    return rc;
}

static u32 stream_flags(const struct v4v_end *e)
{
    return (e->features & V4V_STREAM_FIN ? V4V_DEV_KNOWS_FIN : 0) |
           (READ_ONCE(e->is_shut) ? V4V_DEV_HAS_SHUT : 0) |
           (READ_ONCE(e->has_ended) ? V4V_DEV_HAS_ENDED : 0);
}

static long request_status(struct file *file, void __user *arg)
{
    struct v4v_end *e = file->private_data;
    struct v4v_dev_status s = {.state = v4v_end_state(e)};
    long unread;

    if (s.state != V4V_DEV_NEW) {
        mutex_lock(&e->rx_lock);
        unread = e->rx.mem ? v4v_rx_unread(&e->rx) : 0;
        s.error = e->error;
        s.local = e->local;
        s.peer = e->peer;
        s.unread = unread < 0 ? 0 : (u32)unread;
        s.piece = READ_ONCE(e->piece);
        s.pongs = e->pongs;
        s.flags = stream_flags(e);
        mutex_unlock(&e->rx_lock);
    }
    return copy_to_user(arg, &s, sizeof(s)) ? -EFAULT : 0;
}

static long request_ping(struct file *file, void __user *arg)
{
    return v4v_stream_ping(file->private_data);
}

static long request_shutdown(struct file *file, void __user *arg)
{
    return v4v_stream_shutdown(file->private_data, is_no_wait(file));
}

static const struct {
    unsigned int cmd;
    long (*run)(struct file *file, void __user *arg);
} requests[] = {
    {V4V_IOC_BIND, request_bind},         {V4V_IOC_LISTEN, request_listen},
    {V4V_IOC_CONNECT, request_connect},   {V4V_IOC_ACCEPT, request_accept},
    {V4V_IOC_SEND, request_send},         {V4V_IOC_RECEIVE, request_receive},
    {V4V_IOC_STATUS, request_status},     {V4V_IOC_PING, request_ping},
    {V4V_IOC_SHUTDOWN, request_shutdown},
};

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(requests); i++) {
        if (requests[i].cmd == cmd) {
            return requests[i].run(file, (void __user *)arg);
        }
    }
    return -ENOTTY;
}

/* ---- Files --------------------------------------------------------------- */

static int device_open(struct inode *inode, struct file *file)
{
    struct v4v_end *e = v4v_end_alloc();

    if (!e) {
        return -ENOMEM;
    }
    file->private_data = e;
    return stream_open(inode, file);
}

static int device_release(struct inode *inode, struct file *file)
{
    v4v_end_close(file->private_data);
    return 0;
}

static ssize_t device_read(struct kiocb *iocb, struct iov_iter *to)
{
    struct v4v_end *e = iocb->ki_filp->private_data;
    bool no_wait = is_no_wait(iocb->ki_filp);
    struct v4v_dev_message m;
    size_t size = iov_iter_count(to);
    ssize_t rc;

    switch (v4v_end_state(e)) {
    case V4V_DEV_DATAGRAM:
        rc = v4v_datagram_receive(e, &m, to, no_wait);
        return min_t(ssize_t, rc, size);
    case V4V_DEV_CONNECTING:
    case V4V_DEV_CONNECTED:
    case V4V_DEV_ENDED:
        return v4v_stream_read(e, to, no_wait);
    default:
        return -ENOTCONN;
    }
}

static ssize_t device_write(struct kiocb *iocb, struct iov_iter *from)
{
    struct v4v_end *e = iocb->ki_filp->private_data;

    if (v4v_end_state(e) == V4V_DEV_DATAGRAM) {
        return -EDESTADDRREQ;
    }
    return v4v_stream_write(e, from, is_no_wait(iocb->ki_filp));
}

/* Readable means data or the end, not messages that only we care about. */
static bool stream_is_readable(struct v4v_end *e)
{
    struct v4v_ring_message_header h;
    int rc;

    mutex_lock(&e->rx_lock);
    rc = v4v_stream_pump(e, &h);
    v4v_rx_notify(&e->rx);
    mutex_unlock(&e->rx_lock);
    return rc != -EAGAIN || v4v_end_rx_is_ready(e);
}

/* Of a stream whose sides end one by one. */
static __poll_t connected_poll(struct v4v_end *e)
{
    bool is_shut = READ_ONCE(e->is_shut), has_ended = READ_ONCE(e->has_ended);
    __poll_t mask = has_ended ? EPOLLRDHUP : 0;

    if (is_shut || v4v_end_tx_is_ready(e)) {
        mask |= EPOLLOUT | EPOLLWRNORM;
    }
    return is_shut && has_ended ? mask | EPOLLHUP : mask;
}

static __poll_t stream_poll(struct v4v_end *e)
{
    __poll_t mask = stream_is_readable(e) ? EPOLLIN | EPOLLRDNORM : 0;

    switch (v4v_end_state(e)) {
    case V4V_DEV_CONNECTED:
        return mask | connected_poll(e);
    case V4V_DEV_ENDED:
        mask |= EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP;
        return READ_ONCE(e->error) ? mask | EPOLLERR : mask;
    default:
        return 0;
    }
}

static __poll_t device_poll(struct file *file, poll_table *table)
{
    struct v4v_end *e = file->private_data;
    __poll_t mask = 0;

    poll_wait(file, &e->wait, table);
    switch (v4v_end_state(e)) {
    case V4V_DEV_NEW:
        return EPOLLHUP;
    case V4V_DEV_DATAGRAM:
        if (v4v_end_tx_is_ready(e)) {
            mask = EPOLLOUT | EPOLLWRNORM;
        }
        fallthrough;
    case V4V_DEV_LISTENER:
        return v4v_end_rx_is_ready(e) ? mask | EPOLLIN | EPOLLRDNORM : mask;
    default:
        return stream_poll(e);
    }
}

static const struct file_operations device_fops = {
    .owner = THIS_MODULE,
    .open = device_open,
    .release = device_release,
    .read_iter = device_read,
    .write_iter = device_write,
    .poll = device_poll,
    .unlocked_ioctl = device_ioctl,
    .compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice device = {
    .minor = MISC_DYNAMIC_MINOR,
    .name = "v4v",
    .fops = &device_fops,
    .mode = 0600,
};

static int __init device_start(void)
{
    int rc = v4v_watch_start();

    if (rc) {
        return rc;
    }
    rc = misc_register(&device);
    if (rc) {
        v4v_watch_stop();
    }
    return rc;
}

static void __exit device_stop(void)
{
    misc_deregister(&device);
    v4v_watch_stop();
}

module_init(device_start);
module_exit(device_stop);
MODULE_DESCRIPTION("V4V: messages between domains");
MODULE_LICENSE("Dual MIT/GPL");
