using Broker.Gateway.Links;
using Broker.Gateway.Mqtt.Codec;
using Broker.Gateway.Mqtt.Limits;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Security;
using Broker.Gateway.Sessions;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using DotNetty.Transport.Channels;

namespace Broker.Gateway.Mqtt;

/// <summary>One client's network connection: takes its packets in order, answers, and ends in exactly one way.</summary>
/// <remarks>Everything runs on the channel's event loop but <see cref="CloseAsync"/>. While a packet needs an answer from elsewhere the connection
/// is suspended: nothing is read, so the packets behind it keep their order and the client feels the back-pressure.</remarks>
internal sealed partial class Connection : IPacketHandler
{
    private readonly IChannel channel;
    private readonly ConnectionServices services;
    private readonly PublishReceiver publishReceiver;
    private readonly AcknowledgementReceiver acknowledgementReceiver;
    private MqttCodec codec = MqttCodec.For(ProtocolVersion.V311);
    private ConnectHandshake? handshake;
    private long connectAt;
    private bool publishWill = true;
    private bool isTakenOver;
    private uint? changedExpiry;

    public Connection(IChannel channel, LoopContext loop, ConnectionServices services, ulong number, ListenerInfo? listener = null)
    {
        (this.channel, this.services, Loop, Number) = (channel, services, loop, number);
        Peer = new PeerInfo(listener ?? ListenerInfo.None, channel.RemoteAddress);
        (Sender, Reading, KeepAlive) = (new PacketSender(channel, loop, Traffic), new ReadingPause(this, channel), new KeepAlive(this));
        publishReceiver = new PublishReceiver(this, services);
        acknowledgementReceiver = new AcknowledgementReceiver(this, publishReceiver);
    }

    /// <summary>Its number in this process, under which it is registered.</summary>
    public ulong Number { get; }

    public LoopContext Loop { get; }

    /// <summary>Who is at the other end, as far as the transport knows; the handlers in front set it before CONNECT.</summary>
    public PeerInfo Peer { get; set; }

    public PacketSender Sender { get; }

    public Traffic Traffic { get; } = new();

    public KeepAlive KeepAlive { get; }

    /// <summary>Stops and goes on with reading.</summary>
    public ReadingPause Reading { get; }

    public ConnectionPhase Phase { get; private set; }

    /// <summary>What the client may do; set when connected, as are the client and its session.</summary>
    public ClientAccess? Access { get; private set; }

    public ClientInfo? Client => Access?.Client;

    public ISession? Session { get; private set; }

    /// <summary>Who is about to be registered, or is, as the owner of its client identifier.</summary>
    public ClientInfo? Registered { get; set; }

    /// <summary>What the client's mountpoint puts before its topics; empty when it has none.</summary>
    public string Mountpoint { get; private set; } = "";

    /// <summary>What its subscriptions are still to get of the retained messages; null if nothing ever was.</summary>
    public RetainedFeed? Retained { get; set; }

    /// <summary>What the client's version says where versions differ.</summary>
    public ProtocolRules Rules { get; private set; } = V3Rules.Instance;

    public bool IsV5 => ReferenceEquals(Rules, V5Rules.Instance);

    /// <summary>True if the next packet may be handled now.</summary>
    public bool TakesPackets => !Reading.IsPaused && Phase != ConnectionPhase.Ending;

    public bool IsEnding => Phase == ConnectionPhase.Ending;

    /// <summary>The handler in front of this connection; set once, by the pipeline.</summary>
    public FrameHandler? Frames { get; set; }

    /// <summary>The socket has been accepted: from now on the connection counts.</summary>
    public void OnAccepted()
    {
        services.Connections.Add(this);
        services.Admission.Begin();
    }

    /// <summary>The way to the client is open (TLS, WebSocket), and it must send CONNECT in time.</summary>
    public void ExpectConnect() => KeepAlive.ExpectConnect(services.Mqtt.IdleTimeout);

    /// <summary>A whole packet. Its body is good only until this returns.</summary>
    public void OnFrame(byte firstByte, ReadOnlySpan<byte> body)
    {
        KeepAlive.OnPacket();
        if (Phase != ConnectionPhase.AwaitingConnect)
        {
            // During an AUTH exchange the client sends nothing else. [MQTT-3.1.2-30]
            if (Phase == ConnectionPhase.Connecting && firstByte >> 4 is not ((int)PacketType.Auth or (int)PacketType.Disconnect))
            {
                throw new MalformedPacketException(ReasonCode.ProtocolError, "packet before CONNACK");
            }

            codec.Decode(firstByte, body, this);
            return;
        }

        // The first packet must be CONNECT. [MQTT-3.1.0-1]
        if (firstByte >> 4 != (int)PacketType.Connect) throw new MalformedPacketException(ReasonCode.ProtocolError, "first packet is not CONNECT");
        BrokerCounters.Add(Metric.PacketsConnectReceived);
        BeginHandshake(ConnectDecoder.Decode(body));
    }

    /// <summary>An operator gives the client a quota of its own, or takes it back. On the loop.</summary>
    public void LimitRouting(Rate? own) => publishReceiver.Limit(own);

    public void OnPublish(in PublishPacket packet) => publishReceiver.Receive(packet);

    public void OnAcknowledgement(PacketType type, ushort packetIdentifier, ReasonCode code) =>
        acknowledgementReceiver.Receive(type, packetIdentifier, code);

    public void OnPacket(ControlPacket packet)
    {
        switch (packet)
        {
            case PingreqPacket:
                BrokerCounters.Add(Metric.PacketsPingreqReceived);
                Send(PingrespPacket.Instance);
                break;
            case SubscribePacket subscribe:
                _ = Reading.RunAsync(() => services.Subscriptions.SubscribeAsync(this, subscribe));
                break;
            case UnsubscribePacket unsubscribe:
                _ = Reading.RunAsync(() => services.Subscriptions.UnsubscribeAsync(this, unsubscribe));
                break;
            case DisconnectPacket disconnect:
                OnDisconnect(disconnect);
                break;
            case AuthPacket auth:
                BrokerCounters.Add(Metric.PacketsAuthReceived);
                _ = Reading.RunAsync(() => handshake!.ContinueAuthenticationAsync(auth));
                break;
        }
    }

    public void OnMalformed(MalformedPacketException fault)
    {
        BrokerCounters.Add(Metric.PacketsMalformed);
        if (Phase == ConnectionPhase.AwaitingConnect)
        {
            // What is not known to be MQTT at all is closed; a version we lack has an answer everybody can read. [MQTT-3.1.2-2]
            Speak(fault.Version ?? ProtocolVersion.V311);
            Apply(Rules.Refuse(fault.Code, fault.Message), fault.Message);
            return;
        }

        Disconnect(fault.Code, fault.Message);
    }

    public void OnWritabilityChanged()
    {
        if (Phase != ConnectionPhase.Connected || !Sender.IsWritable) return;
        Session!.Drain();
        Retained?.Pump();
    }

    public void OnException(Exception exception)
    {
        // A peer that vanished is its own business; anything else is ours.
        if (exception is not (System.Net.Sockets.SocketException or IOException or ClosedChannelException)) LogFailed(services.Log, exception, Client?.ClientId, Number);
        End("socket_error");
    }

    /// <summary>The socket is closed.</summary>
    public void OnClosed() => End("tcp_closed");

    /// <summary>Ends the connection for a fault or by decision of the server; a 5.0 client is told why.</summary>
    /// <param name="serverReference">Where a 5.0 client is to go instead; null if nowhere in particular.</param>
    public void Disconnect(ReasonCode code, string reason, string? serverReference = null)
    {
        if (!IsEnding) isTakenOver = code == ReasonCode.SessionTakenOver;
        if (Phase is ConnectionPhase.AwaitingConnect) End(reason);
        else if (Phase == ConnectionPhase.Connecting) Apply(Rules.Refuse(code, Sender.Explain(reason)), reason);
        else Apply(Rules.Disconnect(code, Sender.Explain(reason), serverReference), reason);
    }

    /// <summary>Ends the connection from any thread.</summary>
    public Task CloseAsync(ReasonCode code, string reason, string? serverReference = null)
    {
        Loop.Run(() => Disconnect(code, reason, serverReference));
        return Ended;
    }

    /// <summary>Speaks a version from now on.</summary>
    public void Speak(ProtocolVersion version)
    {
        codec = MqttCodec.For(version);
        Rules = ProtocolRules.Of(version);
        Sender.Speak(codec);
    }

    /// <summary>Sends a packet that the client waits for, or ends the connection if it does not accept one as large. [MQTT-3.1.2-24]</summary>
    public void Send(ControlPacket packet)
    {
        if (!Sender.TrySend(packet)) Disconnect(ReasonCode.PacketTooLarge, NoteTooLarge(packet.Type));
    }

    /// <summary>Sends an answer and, if it says so, ends the connection behind it.</summary>
    public void Apply(in ProtocolReply reply, string reason)
    {
        if (IsEnding) return;
        if (reply.Answer is { } answer) Sender.TrySend(answer);
        if (reply.Close) End(reason);
    }

    /// <summary>The handshake has succeeded and CONNACK is written.</summary>
    public void Accepted(ClientInfo client, ISession session, string mountpoint)
    {
        (Access, Session, Mountpoint) = (new ClientAccess(services.Authorization, client, Loop.Time), session, mountpoint);
        Phase = ConnectionPhase.Connected;
        LeaveHandshake();
        KeepAlive.Start(client.KeepAlive, services.Mqtt);
        BrokerCounters.Add(Metric.ClientConnected);
        Loop.Latencies?.Connected(Loop.Time.GetElapsedTime(connectAt));
        services.Gauges.Add(Gauge.Connections);
        services.Gauges.Add(Gauge.Sessions); // until it is unregistered
        session.Start();
        services.Subscriptions.Resume(this);
        foreach (var observer in services.Observers) observer.Connected(client);
        services.Modules.AutoSubscribe.Accepted(this);
    }

    private void BeginHandshake(ConnectPacket connect)
    {
        Phase = ConnectionPhase.Connecting;
        BrokerCounters.Add(Metric.ClientConnect);
        connectAt = Loop.ReadAt;
        Speak(connect.Version);
        Sender.Limit(connect); // even a refusal keeps to them [MQTT-3.2.2-19]
        handshake = new ConnectHandshake(this, services, connect, Peer);
        _ = Reading.RunAsync(handshake.RunAsync);
    }

    private void OnDisconnect(DisconnectPacket packet)
    {
        BrokerCounters.Add(Metric.PacketsDisconnectReceived);
        // A session that was to end with the connection cannot be made to outlive it now. [MQTT-3.14.2.2.2]
        if (packet.SessionExpiryInterval > 0 && Client is { ExpirySeconds: 0 })
        {
            Disconnect(ReasonCode.ProtocolError, "session expiry interval raised from zero");
            return;
        }

        publishWill = packet.Code != ReasonCode.Success; // [MQTT-3.14.4-3]
        changedExpiry = packet.SessionExpiryInterval is { } wanted ? services.Mqtt.LimitExpiry(wanted) : null;
        End("normal");
    }
}
