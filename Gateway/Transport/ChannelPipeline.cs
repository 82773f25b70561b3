using Broker.Gateway.Hosting;
using Broker.Gateway.Links;
using Broker.Gateway.Mqtt;
using DotNetty.Transport.Channels;

namespace Broker.Gateway.Transport;

/// <summary>What stands between a socket and its connection. Here begins the way of every message.</summary>
/// <remarks>For plain TCP there is one handler; TLS, WebSocket and PROXY protocol come before it.</remarks>
internal sealed class ChannelPipeline(GatewayLoops loops, ConnectionServices services, MqttOptions options, int maxConnections) : ChannelInitializer<IChannel>
{
    public override bool IsSharable => true;

    protected override void InitChannel(IChannel channel)
    {
        if (services.Connections.Count >= maxConnections)
        {
            _ = channel.CloseAsync();
            return;
        }

        var connection = new Connection(channel, loops.Of(channel.EventLoop), services, services.Connections.NextNumber());
        var frames = new FrameHandler(connection, options.MaxPacketSize);
        connection.Frames = frames;
        channel.Pipeline.AddLast("frames", frames);
    }
}
