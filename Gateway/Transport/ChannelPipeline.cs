using Broker.Gateway.Links;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Transport.Proxy;
using Broker.Gateway.Transport.Tls;
using Broker.Gateway.Transport.WebSocket;
using Broker.Grains.Interfaces.Metrics;
using DotNetty.Transport.Channels;

namespace Broker.Gateway.Transport;

/// <summary>What stands between a socket and its connection. Here begins the way of every message.</summary>
/// <remarks>Plain TCP has one handler. PROXY protocol, TLS and WebSocket come before it, in that order; each lets ChannelActive pass when it is through.</remarks>
internal sealed class ChannelPipeline(GatewayLoops loops, ConnectionServices services, MqttListener owner, Func<int> maxConnections) : ChannelInitializer<IChannel>
{
    public override bool IsSharable => true;

    protected override void InitChannel(IChannel channel)
    {
        var listener = owner.Setup;
        var (info, options) = (listener.Info, listener.Options);
        if (services.Connections.Count >= maxConnections() || info.Connections >= options.MaxConnections)
        {
            Refuse(channel, Metric.ListenerFull);
            return;
        }

        // Behind a proxy it is the header's address that counts.
        if (!options.ProxyProtocol && !listener.Access.Allows(channel.RemoteAddress))
        {
            Refuse(channel, Metric.ListenerDenied);
            return;
        }

        var connection = new Connection(channel, loops.Of(channel.EventLoop), services, services.Connections.NextNumber(), info);
        var frames = new FrameHandler(connection, connection.Mqtt.MaxPacketSize, listener.Rates?.For(connection));
        connection.Frames = frames;
        var pipeline = channel.Pipeline;
        if (options.ProxyProtocol) pipeline.AddLast("proxy", new ProxyHandler(connection, listener));
        if (listener.Tls is { } tls) pipeline.AddLast("tls", new TlsHandler(connection, listener, tls));
        if (listener.Psk is { } psk) pipeline.AddLast("tls", new PskHandler(connection, listener, psk));
        if (options.IsWebSocket) pipeline.AddLast("upgrade", new UpgradeHandler(connection, listener));
        pipeline.AddLast("frames", frames);
        connection.OnAccepted();
    }

    private static void Refuse(IChannel channel, Metric counter)
    {
        BrokerCounters.Add(counter);
        _ = channel.CloseAsync();
    }
}
