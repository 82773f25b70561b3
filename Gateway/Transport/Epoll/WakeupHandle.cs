using Microsoft.Win32.SafeHandles;

namespace Broker.Gateway.Transport.Epoll;

/// <summary>The eventfd that other threads write to wake a loop out of epoll_wait.</summary>
/// <remarks>
/// A safe handle, because a writer may be late: without the reference count its eight bytes could land in a connection that
/// was given the number of the eventfd after the loop had closed it.
/// </remarks>
internal sealed class WakeupHandle : SafeHandleMinusOneIsInvalid
{
    private WakeupHandle(int fd) : base(ownsHandle: true) => SetHandle(fd);

    // Needed by the generated interop code for parameters of this type.
    public WakeupHandle() : base(ownsHandle: true)
    {
    }

    /// <summary>The number to add to an epoll set; valid while the handle is open.</summary>
    public int Descriptor => (int)handle;

    public static WakeupHandle Create()
    {
        int fd = LibC.EventFd(0, LibC.CloseOnExec | LibC.NonBlock);
        return fd >= 0 ? new WakeupHandle(fd) : throw SocketFault.Create("eventfd", LibC.Errno);
    }

    /// <summary>Wakes the loop; any thread. Does nothing once the loop is gone.</summary>
    public unsafe void Signal()
    {
        ulong one = 1;
        try
        {
            LibC.Write(this, &one, sizeof(ulong));
        }
        catch (ObjectDisposedException)
        {
            // The loop terminated between the task being queued and this call.
        }
    }

    protected override bool ReleaseHandle() => LibC.Close((int)handle) == 0;
}
