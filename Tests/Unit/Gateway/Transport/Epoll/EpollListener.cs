using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Broker.Gateway.Transport.Epoll;
using DotNetty.Transport.Bootstrapping;
using DotNetty.Transport.Channels;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Transport.Epoll;

/// <summary>A listener on loopback for one test. Disposing it shuts the loops down and fails the test if a buffer leaked.</summary>
internal sealed class EpollListener : IAsyncDisposable
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private readonly EpollEventLoopGroup loops;
    private readonly ConcurrentQueue<ScriptedHandler> handlers = new();
    private readonly SemaphoreSlim accepted = new(0);

    private EpollListener(EpollEventLoopGroup loops) => this.loops = loops;

    public EpollServerSocketChannel Channel { get; private set; } = null!;

    public TrackingAllocator Allocator { get; } = new();

    public IReadOnlyCollection<ScriptedHandler> Handlers => handlers;

    public EpollEventLoopGroup Loops => loops;

    public IPEndPoint Address => (IPEndPoint)Channel.LocalAddress;

    public static async Task<EpollListener> StartAsync(
        Func<ScriptedHandler> handler, int loopCount = 1, Action<ServerBootstrap>? configure = null, IPAddress? address = null)
    {
        var listener = new EpollListener(new EpollEventLoopGroup(loopCount));
        var bootstrap = new ServerBootstrap().Group(listener.loops)
            .ChildOption(ChannelOption.Allocator, listener.Allocator)
            .ChildHandler(new ActionChannelInitializer<IChannel>(channel =>
            {
                ScriptedHandler scripted = handler();
                channel.Pipeline.AddLast(scripted);
                listener.handlers.Enqueue(scripted);
                listener.accepted.Release();
            }));
        new EpollTransport().UseServerChannel(bootstrap);
        configure?.Invoke(bootstrap);
        listener.Channel = (EpollServerSocketChannel)await bootstrap.BindAsync(address ?? IPAddress.Loopback, 0).WaitAsync(Deadline);
        return listener;
    }

    /// <summary>Connects a client; the server's side of it is the next handler.</summary>
    public async Task<(Socket Client, ScriptedHandler Server)> ConnectAsync(int receiveBufferBytes = 0)
    {
        var client = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBufferBytes > 0) client.ReceiveBufferSize = receiveBufferBytes;
        await client.ConnectAsync(IPAddress.Loopback, Address.Port).WaitAsync(Deadline);
        Assert.True(await accepted.WaitAsync(Deadline), "the connection was not accepted");
        ScriptedHandler server = handlers.Last();
        await server.Active.Task.WaitAsync(Deadline);
        return (client, server);
    }

    /// <summary>Waits until the condition holds.</summary>
    public static async Task UntilAsync(Func<bool> condition, Func<string> what)
    {
        long end = Environment.TickCount64 + (long)Deadline.TotalMilliseconds;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 < end, what());
            await Task.Delay(2);
        }
    }

    public static async Task ReceiveExactlyAsync(Socket client, Memory<byte> buffer)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        for (int done = 0; done < buffer.Length;)
        {
            int received = await client.ReceiveAsync(buffer[done..], SocketFlags.None, deadline.Token);
            Assert.True(received > 0, $"the connection ended after {done} of {buffer.Length} bytes");
            done += received;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await loops.ShutdownGracefullyAsync(TimeSpan.Zero, TimeSpan.FromSeconds(5)).WaitAsync(Deadline);
        Assert.Equal(0, Allocator.Unreleased);
        accepted.Dispose();
    }
}
