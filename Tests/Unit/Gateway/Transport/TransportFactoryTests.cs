using System.Net;
using System.Net.Sockets;
using Broker.Gateway.Transport;
using Broker.Gateway.Transport.Epoll;
using Broker.Tests.Unit.Gateway.Transport.Epoll;
using DotNetty.Transport.Bootstrapping;
using DotNetty.Transport.Channels;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Transport;

public class TransportFactoryTests
{
    [Fact]
    public void PicksEpoll_WhenAutomaticAndSupported()
        => Assert.Equal(EpollTransport.IsSupported ? "epoll" : "portable", TransportFactory.Create(TransportPreference.Automatic).Name);

    [Theory]
    [InlineData("Automatic")]
    [InlineData("Portable")]
    public async Task Echoes_WhenServedByEitherTransport(string preference)
    {
        ITransport transport = TransportFactory.Create(Enum.Parse<TransportPreference>(preference));
        IEventLoopGroup loops = transport.CreateLoops(2);
        var bootstrap = new ServerBootstrap().Group(loops)
            .ChildHandler(new ActionChannelInitializer<IChannel>(static channel => channel.Pipeline.AddLast(new ScriptedHandler(ScriptedHandler.Echo))));
        transport.UseServerChannel(bootstrap);
        IChannel listener = await bootstrap.BindAsync(IPAddress.Loopback, 0).WaitAsync(EpollListener.Deadline);

        using var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(IPAddress.Loopback, ((IPEndPoint)listener.LocalAddress).Port).WaitAsync(EpollListener.Deadline);
        client.Send([1, 2, 3]);
        byte[] back = new byte[3];
        await EpollListener.ReceiveExactlyAsync(client, back);

        Assert.Equal([1, 2, 3], back);
        await listener.CloseAsync().WaitAsync(EpollListener.Deadline);
        await loops.ShutdownGracefullyAsync(TimeSpan.Zero, TimeSpan.FromSeconds(5)).WaitAsync(EpollListener.Deadline);
    }
}
