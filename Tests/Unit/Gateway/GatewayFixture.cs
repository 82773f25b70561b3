using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Broker.Gateway.History;
using Broker.Gateway.Hooks;
using Broker.Gateway.Hosting;
using Broker.Gateway.Links;
using Broker.Gateway.Modules;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Mqtt.Codec;
using Broker.Gateway.Mqtt.Limits;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Records;
using Broker.Gateway.Security;
using Broker.Gateway.Security.Bans;
using Broker.Gateway.Security.Guard;
using Broker.Gateway.Security.Sources;
using Broker.Gateway.Sessions;
using Broker.Gateway.Transport;
using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Delayed;
using Broker.Grains.Interfaces.Gateways;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Retained;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Routing;
using Broker.Tests.Unit.Grains.Routing;
using Broker.Tests.Unit.Grains.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Broker.Tests.Unit.Gateway;

/// <summary>A gateway with event loops that the test turns, real shards in the same process, and no grains.</summary>
internal sealed class GatewayFixture : ILocalShards, ILocalClientRegistries, ILocalClientRegistry, ILocalRetainedPartitions, ILocalDelayedPartitions, ILocalSessions, ILocalSiloDetails
{
    private readonly Shard[] shards;

    public GatewayFixture(MqttOptions? mqtt = null, int loops = 1)
    {
        Mqtt = mqtt ?? new MqttOptions();
        ManualLoops = [.. Enumerable.Range(0, loops).Select(_ => new ManualLoop(Clock))];
        Loops = new GatewayLoops(ManualLoops, Map, new Pulse(new NodeRole(HostsGrains: true, IsAlone: true), Clock), Clock);
        shards =
        [
            .. Enumerable.Range(0, Map.Count).Select(number =>
                new Shard(new DestinationTable(Others), new RoutingOptions(), new ShardTally(number, Map, Gauges))),
        ];
        var grains = NoGrains.Of<IGrainFactory>();
        Links = new ShardLinks(this, grains, Map, this, Clock);
        var retained = new RetainedLinks(this, grains, Map, Clock);
        var security = Fixed.Options(new SecurityOptions());
        var sources = new SourceHost(null!, null!, new AnswerEpoch(), Clock, NullLoggerFactory.Instance); // without settings it has none
        var modules = new Broker.Gateway.Modules.Modules(new ModuleTable(), null!, Fixed.Options(new ModuleOptions()));
        Router = new MessageRouter(Links, retained, new DelayedLinks(this, grains, modules, Map, Clock), Loops, Options.Create(new RetainedOptions()));
        var recorder = new FlightRecorder(Options.Create(new HistoryOptions()), Clock);
        var authorization = new Authorization([], sources, security, modules, new AnswerEpoch(), recorder);
        var connections = new ConnectionTable();
        var registry = new ClientRegistryLinks(this, grains, Map, this, NoGrains.Of<IGatewayClient>(), NoGrains.Of<ISiloStatusOracle>(), connections, BrokerHooks.None, Gauges, Clock);
        var wrapped = Fixed.Options(Mqtt);
        var rewrite = new TopicRewrite(modules, Fixed.Options(new RewriteOptions()));
        var subscriptions = new SubscriptionHandler(authorization, retained, BrokerHooks.None, recorder, rewrite);
        Services = new ConnectionServices(
            new NodeRole(HostsGrains: true, IsAlone: true), wrapped, new Authentication([], [], sources, security), authorization, recorder, Router, registry,
            new SessionOpener(
                new NodeRole(HostsGrains: true, IsAlone: true), grains,
                new DurableSessions(this, Sessions = new SessionLinks(Remote, this, Silos, Clock)), registry, Links, Router, Gauges, Wills),
            subscriptions, new ConnectionModules(new AutoSubscribe(modules, subscriptions, Fixed.Options(new AutoSubscribeOptions()), NullLogger<AutoSubscribe>.Instance), rewrite), new RoutingQuotas(wrapped, Clock), MakeGuard(), connections, new HandshakeAdmission(100), Gauges, [], BrokerHooks.None, NullLogger.Instance);
    }

    public ManualClock Clock { get; } = new();

    /// <summary>Keeps wills in memory: those it has.</summary>
    public FakeWills Wills { get; } = new();

    public BrokerGauges Gauges { get; } = new();

    public MqttOptions Mqtt { get; }

    public ManualLoop[] ManualLoops { get; }

    /// <summary>The first loop.</summary>
    public ManualLoop Manual => ManualLoops[0];

    public GatewayLoops Loops { get; }

    /// <summary>What belongs to the first loop.</summary>
    public LoopContext Loop => Loops.All[0];

    public ShardMap Map { get; } = new(4, 2);

    /// <summary>Destinations that are not this gateway.</summary>
    public FakeDestinations Others { get; } = new();

    public ShardLinks Links { get; }

    public MessageRouter Router { get; }

    /// <summary>Ways to durable sessions in other processes, which are <see cref="Remote"/>.</summary>
    public SessionLinks Sessions { get; }

    public FakeSessionService Remote { get; } = new();

    public FakeSilos Silos { get; } = new();

    public ConnectionServices Services { get; }

    string ILocalSiloDetails.Name => "test";

    string ILocalSiloDetails.ClusterId => "test";

    string ILocalSiloDetails.DnsHostName => "localhost";

    SiloAddress ILocalSiloDetails.SiloAddress => FakeDestinations.Own.Gateway!;

    SiloAddress ILocalSiloDetails.GatewayAddress => FakeDestinations.Own.Gateway!;

    ILocalShard? ILocalShards.Find(int shard) => shards[shard];

    ILocalClientRegistry? ILocalClientRegistries.Find(int partition) => this;

    ILocalRetained? ILocalRetainedPartitions.Find(int partition) => null;

    ILocalDelayed? ILocalDelayedPartitions.Find(int partition) => null;

    ILocalSession? ILocalSessions.Find(string clientId) => null;

    bool ILocalClientRegistry.TryRegister(in ClientRegistration registration, out RegisterResult result)
    {
        result = default;
        return true;
    }

    bool ILocalClientRegistry.TryUnregister(string clientId, in ClientLocation location) => true;

    /// <summary>A client of 3.1.1 with a transient session.</summary>
    public Client Open(string clientId, SessionLimits? limits = null, int loop = 0, Will? will = null)
    {
        var peer = new Peer(ManualLoops[loop]);
        var sender = new PacketSender(peer.Channel, Loops.All[loop], new Traffic());
        var session = new TransientSession(
            clientId, sender, Loops.All[loop], limits ?? new SessionLimits(), new TransientSubscriptions.Services(Links, Router, Gauges),
            will is null ? null : new KeptWill(will, Wills, 1), upgradeQos: false);
        return new Client(session, sender, peer);
    }

    /// <summary>A connection whose CONNECT has been accepted, with bytes from <see cref="Peer.Send"/> on their way through a frame handler.</summary>
    public (Connection Connection, Peer Peer) Connect(ISession session, ProtocolVersion version = ProtocolVersion.V311, int maximumPacketSize = 1 << 20)
    {
        var (connection, peer) = Accept(maximumPacketSize);
        if (version == ProtocolVersion.V5) peer.SpeaksV5();
        connection.Speak(version);
        connection.Accepted(new ClientInfo { ClientId = "client", Version = version, CleanStart = true, KeepAlive = 0 }, session, "");
        return (connection, peer);
    }

    /// <summary>A connection that awaits CONNECT.</summary>
    public (Connection Connection, Peer Peer) Accept(int maximumPacketSize = 1 << 20)
    {
        var peer = new Peer(Manual);
        var connection = new Connection(peer.Channel, Loop, Services, Services.Connections.NextNumber());
        var frames = new FrameHandler(connection, maximumPacketSize);
        connection.Frames = frames;
        peer.Channel.Pipeline.AddLast(frames);
        connection.OnAccepted();
        connection.ExpectConnect();
        return (connection, peer);
    }

    /// <summary>Publishes on the first loop, as a connection of it does.</summary>
    public bool Publish(ApplicationMessage message) => Router.Publish(Loop, message, Router.RouteOf(message.Topic), null);

    /// <summary>A PUBLISH of 3.1.1 on the wire.</summary>
    public static byte[] PublishBytes(string topic, string payload, Qos qos, ushort packetIdentifier)
    {
        var message = TestMessage.On(topic, payload);
        var packet = new OutboundPublish { Message = message, Topic = message.Topic.Utf8, Qos = qos, PacketIdentifier = packetIdentifier };
        var codec = MqttCodec.For(ProtocolVersion.V311);
        var bytes = new byte[codec.Measure(packet)];
        codec.Write(packet, bytes.Length, bytes);
        return bytes;
    }

    private ConnectGuard MakeGuard() => new(
        new BanList(new RecordFeed(NoGrains.Of<IGrainFactory>(), this, [], Clock, NullLogger<RecordFeed>.Instance), new BanTable(Clock)), new ConnectAdmission(Fixed.Options(new GatewayOptions()), Clock), new BruteForceGuard(Fixed.Options(new BruteForceOptions()), Clock));

    /// <summary>A grain factory, or a grain, that must not be called.</summary>
    [SuppressMessage("Performance", "CA1852", Justification = "DispatchProxy derives from it")]
    public class NoGrains : DispatchProxy
    {
        public static T Of<T>()
            where T : class => Create<T, NoGrains>();

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
            targetMethod!.Name == nameof(IGrainFactory.GetGrain) && targetMethod.ReturnType.IsInterface
                ? Create(targetMethod.ReturnType, typeof(NoGrains))
                : throw new InvalidOperationException($"{targetMethod.DeclaringType!.Name}.{targetMethod.Name} was called");
    }
}

/// <summary>A transient session and what its client sees.</summary>
internal sealed record Client(TransientSession Session, PacketSender Sender, Peer Peer)
{
    public Client Subscribe(string filter, Qos qos = Qos.AtMostOnce, int identifier = 0)
    {
        var subscription = new Subscription(TopicFilter.Parse(filter), new SubscriptionOptions(qos, Identifier: identifier));
        Session.SubscribeAsync([subscription]).AsTask().GetAwaiter().GetResult();
        return this;
    }

    public ReasonCode Unsubscribe(string filter) => Session.UnsubscribeAsync([TopicFilter.Parse(filter)]).AsTask().GetAwaiter().GetResult()[0];

    public void Close(bool publishWill = false) => Session.CloseAsync(publishWill, null).AsTask().GetAwaiter().GetResult();

    public List<string> Packets() => Peer.Packets();
}
