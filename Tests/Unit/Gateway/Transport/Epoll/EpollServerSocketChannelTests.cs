using System.Net;
using System.Net.Sockets;
using Broker.Gateway.Transport.Epoll;
using DotNetty.Transport.Channels;
using Xunit;
using static Broker.Tests.Unit.Gateway.Transport.Epoll.EpollListener;

namespace Broker.Tests.Unit.Gateway.Transport.Epoll;

public class EpollServerSocketChannelTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task ClosesEveryConnection_WhenTwoThousandComeAndGo(int loopCount)
    {
        await using EpollListener listener = await StartAsync(() => new ScriptedHandler(), loopCount);
        await Parallel.ForAsync(0, 2_000, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (_, cancellation) =>
        {
            using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await client.ConnectAsync(listener.Address, cancellation);
        });

        await UntilAsync(() => listener.Handlers.Count == 2_000, () => $"accepted {listener.Handlers.Count} of 2000");
        await Task.WhenAll(listener.Handlers.Select(static handler => handler.Inactive.Task)).WaitAsync(Deadline);
        Assert.All(listener.Handlers, static handler => Assert.Empty(handler.Exceptions));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task NoTokenReachesAnotherConnection_WhenDescriptorsAreReused(int loopCount)
    {
        await using EpollListener listener = await StartAsync(() => new ScriptedHandler(ScriptedHandler.Echo), loopCount);
        await Parallel.ForAsync(0, 3_000, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (number, cancellation) =>
        {
            using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await client.ConnectAsync(listener.Address, cancellation);
            byte[] token = BitConverter.GetBytes(0x5EED_0000_0000_0000 + number);
            await client.SendAsync(token, cancellation);
            // Some leave without reading, by reset, with their echo on its way.
            if (number % 3 == 0)
            {
                client.LingerState = new LingerOption(true, 0);
                return;
            }

            byte[] back = new byte[8];
            await ReceiveExactlyAsync(client, back);
            Assert.Equal(token, back);
        });
    }

    [Fact]
    public async Task AcceptsBothFamilies_WhenBoundToIpv6Any()
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "no IPv6 here");
        await using EpollListener listener = await StartAsync(() => new ScriptedHandler(), address: IPAddress.IPv6Any);
        foreach (IPAddress address in new[] { IPAddress.Loopback, IPAddress.IPv6Loopback })
        {
            int before = listener.Handlers.Count;
            using var client = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            await client.ConnectAsync(address, listener.Address.Port).WaitAsync(Deadline);
            await UntilAsync(() => listener.Handlers.Count == before + 1, () => $"{address} was not accepted");
            IChannel channel = await listener.Handlers.Last().Active.Task.WaitAsync(Deadline);
            Assert.Equal(((IPEndPoint)client.LocalEndPoint!).Port, ((IPEndPoint)channel.RemoteAddress).Port);
            Assert.Equal(address.MapToIPv6(), ((IPEndPoint)channel.RemoteAddress).Address);
            Assert.Equal(listener.Address.Port, ((IPEndPoint)channel.LocalAddress).Port);
        }
    }

    [Fact]
    public async Task AcceptsNobody_WhenAutoReadIsOff()
    {
        await using EpollListener listener = await StartAsync(() => new ScriptedHandler());
        listener.Channel.Configuration.AutoRead = false;
        await listener.Channel.EventLoop.SubmitAsync(() => 0).WaitAsync(Deadline);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.Address).WaitAsync(Deadline);
        await listener.Channel.EventLoop.SubmitAsync(() => 0).WaitAsync(Deadline);
        await listener.Channel.EventLoop.SubmitAsync(() => 0).WaitAsync(Deadline);
        Assert.Empty(listener.Handlers);

        listener.Channel.Configuration.AutoRead = true;
        await UntilAsync(() => listener.Handlers.Count == 1, () => "not accepted after auto-read came back");
    }

    [Fact]
    public async Task SetsSocketOptions_WhenGivenAsChildOptions()
    {
        await using EpollListener listener = await StartAsync(() => new ScriptedHandler(), configure: static bootstrap => bootstrap
            .Option(ChannelOption.SoBacklog, 16)
            .ChildOption(ChannelOption.TcpNodelay, true)
            .ChildOption(ChannelOption.SoKeepalive, true)
            .ChildOption(ChannelOption.SoSndbuf, 32_768)
            .ChildOption(ChannelOption.SoLinger, 0));
        (Socket client, ScriptedHandler server) = await listener.ConnectAsync();
        using Socket closing = client;
        IChannelConfiguration configuration = (await server.Active.Task).Configuration;
        Assert.True(configuration.GetOption(ChannelOption.TcpNodelay));
        Assert.True(configuration.GetOption(ChannelOption.SoKeepalive));
        // The kernel doubles what it is given, for its own bookkeeping.
        Assert.Equal(65_536, configuration.GetOption(ChannelOption.SoSndbuf));
        Assert.Equal(0, configuration.GetOption(ChannelOption.SoLinger));
    }

    [Fact]
    public async Task BindFails_WhenPortIsTaken()
    {
        await using EpollListener listener = await StartAsync(() => new ScriptedHandler());
        var bootstrap = new DotNetty.Transport.Bootstrapping.ServerBootstrap().Group(listener.Loops)
            .Channel<EpollServerSocketChannel>().ChildHandler(new ChannelHandlerAdapterStub());
        ChannelException fault = await Assert.ThrowsAsync<ChannelException>(() => bootstrap.BindAsync(listener.Address).WaitAsync(Deadline));
        Assert.Contains("errno 98", fault.Message, StringComparison.Ordinal);
    }

    private sealed class ChannelHandlerAdapterStub : ChannelHandlerAdapter;
}
