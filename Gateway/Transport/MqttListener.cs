using System.Net;
using Broker.Gateway.Hosting;
using Broker.Gateway.Links;
using Broker.Gateway.Mqtt;
using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Configuration;
using DotNetty.Buffers;
using DotNetty.Transport.Bootstrapping;
using DotNetty.Transport.Channels;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Transport;

/// <summary>The MQTT listener: accepts connections and puts a pipeline behind each.</summary>
internal sealed class MqttListener(
    ITransport transport, IEventLoopGroup loops, GatewayLoops contexts, ConnectionServices connections, HandshakeAdmission admission,
    IOptions<GatewayOptions> gateway, IOptions<MqttOptions> mqtt) : IReadiness
{
    private readonly GatewayOptions options = gateway.Value;
    private IChannel? listening;

    /// <summary>Where it listens, once it does.</summary>
    public EndPoint? LocalAddress => listening?.LocalAddress;

    public string Name => "listener";

    public string? Fault => listening is { Active: true } ? null : "connections are not accepted";

    /// <summary>Starts to accept.</summary>
    /// <exception cref="StartException">The address cannot be had.</exception>
    public async Task StartAsync()
    {
        var pipeline = new ChannelPipeline(contexts, connections, mqtt.Value, Math.Min(options.MaxConnections, DescriptorLimit.MostConnections()));
        // Chunks of 1 MiB, one arena for each loop: the default's 16 MiB would be most of a small broker's memory.
        var allocator = new PooledByteBufferAllocator(options.EffectiveEventLoops, 0, 8192, 7);
        var bootstrap = new ServerBootstrap()
            .Group(loops)
            .Option(ChannelOption.SoBacklog, options.Backlog)
            .Option(ChannelOption.SoReuseaddr, true)
            .ChildOption(ChannelOption.TcpNodelay, true)
            .ChildOption(ChannelOption.SoKeepalive, true)
            .ChildOption(ChannelOption.Allocator, allocator)
            .ChildOption(ChannelOption.WriteBufferHighWaterMark, mqtt.Value.HighWatermark)
            .ChildOption(ChannelOption.WriteBufferLowWaterMark, mqtt.Value.HighWatermark / 2)
            .ChildHandler(pipeline);
        transport.UseServerChannel(bootstrap);
        var address = options.Address == "*" ? IPAddress.IPv6Any
            : IPAddress.TryParse(options.Address, out var one) ? one
            : throw new StartException($"Gateway:Address = '{options.Address}' is not allowed: it must be an IP address or *.");
        try
        {
            listening = await bootstrap.BindAsync(new IPEndPoint(address, options.Port));
        }
        catch (Exception error) when (error is ChannelException or System.Net.Sockets.SocketException)
        {
            throw new StartException($"Gateway:Address = '{options.Address}', Gateway:Port = {options.Port}: cannot listen there ({error.Message}).", error);
        }

        admission.Listening = listening;
    }

    /// <summary>Accepts no more.</summary>
    public async Task StopAsync()
    {
        if (listening is not null) await listening.CloseAsync();
    }
}
