// Preloaded into the processes that Homeroom starts: when their parent is gone, however it went,
// they go too, and no port stays taken by an orphan.
process.on('disconnect', () => process.exit(0));
process.channel?.unref();
