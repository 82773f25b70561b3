using Broker.Gateway.Hosting;
using Broker.Gateway.Links;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Mqtt.Limits;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Cluster;
using DotNetty.Buffers;
using DotNetty.Transport.Bootstrapping;
using DotNetty.Transport.Channels;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Transport;

/// <summary>All listeners of this gateway. Their certificates and keys are read when this is made.</summary>
internal sealed class Listeners : IReadiness
{
    private readonly ITransport transport;
    private readonly IEventLoopGroup loops;
    private readonly GatewayLoops contexts;
    private readonly ConnectionServices connections;
    private readonly HandshakeAdmission admission;
    private readonly GatewayOptions gateway;
    private readonly int highWatermark;

    public Listeners(
        ITransport transport, IEventLoopGroup loops, GatewayLoops contexts, ConnectionServices connections, HandshakeAdmission admission,
        IOptions<GatewayOptions> gateway, IOptions<ListenersOptions> listeners)
    {
        (this.transport, this.loops, this.contexts, this.connections, this.admission) = (transport, loops, contexts, connections, admission);
        this.gateway = gateway.Value;
        highWatermark = connections.Mqtt.HighWatermark;
        All = listeners.Value.Count == 0
            ? [new MqttListener(GatewayOptions.Section, SetUp("default", new ListenerOptions { Address = this.gateway.Address, Port = this.gateway.Port }))]
            : [.. listeners.Value.Select(one => new MqttListener($"{ListenersOptions.Section}:{one.Key}", SetUp(one.Key, one.Value)))];
    }

    public IReadOnlyList<MqttListener> All { get; }

    public string Name => "listener";

    public string? Fault => All.FirstOrDefault(one => !one.IsActive) is { } down ? $"connections are not accepted on listener {down.Setup.Info.Name}" : null;

    /// <summary>The listener of this name.</summary>
    public ListenerInfo this[string name] => All.Single(one => string.Equals(one.Setup.Info.Name, name, StringComparison.OrdinalIgnoreCase)).Setup.Info;

    /// <summary>Starts to accept on all of them.</summary>
    /// <exception cref="Broker.Grains.Interfaces.Configuration.StartException">An address cannot be had.</exception>
    public async Task StartAsync()
    {
        var maxConnections = Math.Min(gateway.MaxConnections, DescriptorLimit.MostConnections());
        // Chunks of 1 MiB, one arena for each loop: the default's 16 MiB would be most of a small broker's memory.
        var allocator = new PooledByteBufferAllocator(gateway.EffectiveEventLoops, 0, 8192, 7);
        foreach (var listener in All) await listener.StartAsync(Bootstrap(allocator), new ChannelPipeline(contexts, connections, listener.Setup, maxConnections), admission);
    }

    /// <summary>Accepts no more.</summary>
    public Task StopAsync() => Task.WhenAll(All.Select(one => one.StopAsync()));

    private ListenerSetup SetUp(string name, ListenerOptions options) => new(name, options, ClientRates.Of(connections.Mqtt, options));

    private ServerBootstrap Bootstrap(IByteBufferAllocator allocator)
    {
        var bootstrap = new ServerBootstrap()
            .Group(loops)
            .Option(ChannelOption.SoBacklog, gateway.Backlog)
            .Option(ChannelOption.SoReuseaddr, true)
            .ChildOption(ChannelOption.TcpNodelay, true)
            .ChildOption(ChannelOption.SoKeepalive, true)
            .ChildOption(ChannelOption.Allocator, allocator)
            .ChildOption(ChannelOption.WriteBufferHighWaterMark, highWatermark)
            .ChildOption(ChannelOption.WriteBufferLowWaterMark, highWatermark / 2);
        transport.UseServerChannel(bootstrap);
        return bootstrap;
    }
}
