using System.Runtime.InteropServices;
using DotNetty.Transport.Bootstrapping;
using DotNetty.Transport.Channels;

namespace Broker.Gateway.Transport.Epoll;

/// <summary>Linux sockets on epoll loops: one thread waits, reads, runs the pipeline and writes.</summary>
internal sealed class EpollTransport : ITransport
{
    /// <summary>Whether this machine can run it: Linux on x64 or arm64, and a kernel that grants an epoll instance and an eventfd.</summary>
    public static bool IsSupported { get; } = Probe();

    public string Name => "epoll";

    public IEventLoopGroup CreateLoops(int count) => new EpollEventLoopGroup(count);

    public void UseServerChannel(ServerBootstrap bootstrap) => bootstrap.Channel<EpollServerSocketChannel>();

    private static bool Probe()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture is not (Architecture.X64 or Architecture.Arm64)) return false;
        try
        {
            using var epoll = new EpollSet();
            using var wakeup = WakeupHandle.Create();
            return true;
        }
        catch (Exception e) when (e is ChannelException or DllNotFoundException or EntryPointNotFoundException)
        {
            return false;
        }
    }
}
