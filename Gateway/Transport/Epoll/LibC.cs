using System.Runtime.InteropServices;

namespace Broker.Gateway.Transport.Epoll;

/// <summary>The C library calls the epoll transport makes, with Linux's x64 and arm64 constants.</summary>
/// <remarks>
/// Signatures are blittable so no marshalling code runs. A negative result means failure; read <see cref="Errno"/> at once,
/// before anything else can touch it.
/// </remarks>
internal static unsafe partial class LibC
{
    private const string Library = "libc";

    public const uint EpollIn = 0x1, EpollOut = 0x4, EpollErr = 0x8, EpollHup = 0x10, EpollRdHup = 0x2000, EpollEdge = 0x8000_0000;
    public const int EpollAdd = 1, EpollDelete = 2, EpollModify = 3;
    public const int CloseOnExec = 0x80000, NonBlock = 0x800;
    public const int AddressInet = 2, AddressInet6 = 10, SockStream = 1;
    public const int SolSocket = 1, SoReuseAddr = 2, SoSndBuf = 7, SoRcvBuf = 8, SoKeepAlive = 9, SoLinger = 13, SoReusePort = 15;
    public const int ProtoIp = 0, IpTos = 1, ProtoTcp = 6, TcpNoDelay = 1, ProtoIpv6 = 41, Ipv6Only = 26;
    public const int MsgNoSignal = 0x4000;

    public const int Eintr = 4, Eagain = 11, Enomem = 12, Enfile = 23, Emfile = 24, Epipe = 32, Eproto = 71, Enetdown = 100,
        Enetunreach = 101, Econnaborted = 103, Econnreset = 104, Enobufs = 105, Enotconn = 107, Etimedout = 110, Ehostdown = 112, Ehostunreach = 113;

    /// <summary>The error number of the call just made on this thread.</summary>
    public static int Errno => Marshal.GetLastSystemError();

    /// <summary>Whether the number says that the peer or the path to it is gone, as opposed to a fault of ours.</summary>
    public static bool IsConnectionLost(int errno)
        => errno is Econnreset or Epipe or Etimedout or Ehostunreach or Enetunreach or Econnaborted or Enotconn or Ehostdown or Enetdown or Eproto;

    [LibraryImport(Library, EntryPoint = "epoll_create1")]
    public static partial int EpollCreate(int flags);

    [LibraryImport(Library, EntryPoint = "epoll_ctl")]
    public static partial int EpollControl(int epoll, int operation, int fd, byte* entry);

    [LibraryImport(Library, EntryPoint = "epoll_wait")]
    public static partial int EpollWait(int epoll, byte* entries, int capacity, int timeoutMilliseconds);

    [LibraryImport(Library, EntryPoint = "eventfd")]
    public static partial int EventFd(uint initial, int flags);

    [LibraryImport(Library, EntryPoint = "write")]
    public static partial nint Write(WakeupHandle handle, void* buffer, nuint count);

    [LibraryImport(Library, EntryPoint = "close")]
    public static partial int Close(int fd);

    [LibraryImport(Library, EntryPoint = "socket")]
    public static partial int Socket(int family, int type, int protocol);

    [LibraryImport(Library, EntryPoint = "bind")]
    public static partial int Bind(int fd, byte* address, uint length);

    [LibraryImport(Library, EntryPoint = "listen")]
    public static partial int Listen(int fd, int backlog);

    [LibraryImport(Library, EntryPoint = "accept4")]
    public static partial int Accept(int fd, byte* address, uint* length, int flags);

    [LibraryImport(Library, EntryPoint = "getsockname")]
    public static partial int GetSocketName(int fd, byte* address, uint* length);

    [LibraryImport(Library, EntryPoint = "getsockopt")]
    public static partial int GetSocketOption(int fd, int level, int name, void* value, uint* length);

    [LibraryImport(Library, EntryPoint = "setsockopt")]
    public static partial int SetSocketOption(int fd, int level, int name, void* value, uint length);

    [LibraryImport(Library, EntryPoint = "recv")]
    public static partial nint Receive(int fd, byte* buffer, nuint count, int flags);

    [LibraryImport(Library, EntryPoint = "send")]
    public static partial nint Send(int fd, byte* buffer, nuint count, int flags);

    [LibraryImport(Library, EntryPoint = "sendmsg")]
    public static partial nint SendMessage(int fd, MessageHeader* message, int flags);

    /// <summary>One piece of a gathering write: struct iovec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Segment
    {
        public byte* Start;
        public nuint Length;
    }

    /// <summary>struct msghdr of 64-bit Linux; glibc's and musl's layouts agree on little-endian machines.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct MessageHeader
    {
        public byte* Name;
        public uint NameLength;
        public Segment* Segments;
        public nuint SegmentCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }
}
