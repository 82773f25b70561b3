using System.Runtime.InteropServices;

namespace Broker.Gateway.Transport.Epoll;

/// <summary>One epoll instance and the memory its events arrive in. Used by the loop's thread alone.</summary>
internal sealed unsafe class EpollSet : IDisposable
{
    // Tasks wait while one batch is handled; level triggering brings back whatever did not fit.
    private const int Capacity = 256;

    // struct epoll_event is packed on x64 (mask at 0, tag at 4) and naturally aligned elsewhere (tag at 8).
    private static readonly bool Packed = RuntimeInformation.ProcessArchitecture == Architecture.X64;
    private static readonly int Stride = Packed ? 12 : 16;
    private static readonly int TagOffset = Packed ? 4 : 8;

    private readonly int epoll;
    private byte* events;

    public EpollSet()
    {
        // Bound now, once: binding it after a failed call would overwrite the number it is to read.
        _ = LibC.Errno;
        epoll = LibC.EpollCreate(LibC.CloseOnExec);
        if (epoll < 0) throw SocketFault.Create("epoll_create1", LibC.Errno);
        events = (byte*)NativeMemory.Alloc((nuint)(Capacity * Stride));
    }

    /// <summary>Starts watching a descriptor; <paramref name="tag"/> comes back with each of its events.</summary>
    public void Add(int fd, uint mask, ulong tag) => Control(LibC.EpollAdd, fd, mask, tag);

    public void Modify(int fd, uint mask, ulong tag) => Control(LibC.EpollModify, fd, mask, tag);

    /// <summary>Stops watching; must come before the descriptor is closed. A failure is of no consequence: the close follows, or the tag is stale.</summary>
    public void Remove(int fd)
    {
        byte* ignored = stackalloc byte[16];
        _ = LibC.EpollControl(epoll, LibC.EpollDelete, fd, ignored);
    }

    /// <summary>Waits for events.</summary>
    /// <param name="timeoutMilliseconds">0 only looks, -1 waits without limit.</param>
    /// <returns>How many events <see cref="Mask"/> and <see cref="Tag"/> may be asked for; 0 also when a signal came.</returns>
    public int Wait(int timeoutMilliseconds)
    {
        int count = LibC.EpollWait(epoll, events, Capacity, timeoutMilliseconds);
        if (count >= 0) return count;
        int errno = LibC.Errno;
        return errno == LibC.Eintr ? 0 : throw SocketFault.Create("epoll_wait", errno);
    }

    public uint Mask(int index) => *(uint*)(events + index * Stride);

    public ulong Tag(int index) => *(ulong*)(events + index * Stride + TagOffset);

    public void Dispose()
    {
        if (events == null) return;
        NativeMemory.Free(events);
        events = null;
        _ = LibC.Close(epoll);
    }

    private void Control(int operation, int fd, uint mask, ulong tag)
    {
        byte* entry = stackalloc byte[16];
        *(uint*)entry = mask;
        *(ulong*)(entry + TagOffset) = tag;
        if (LibC.EpollControl(epoll, operation, fd, entry) < 0) throw SocketFault.Create("epoll_ctl", LibC.Errno);
    }
}
