using Broker.Grains.Interfaces.Messages;

namespace Broker.Grains.Interfaces.Plugins;

/// <summary>The broker's hook points: those of EMQ X 4.x, under their names. While a point has no callback it costs nothing.</summary>
public interface IHooks
{
    /// <summary>`client.connect`: CONNECT has been read. The value is what the client asks for.</summary>
    IHookChain<ClientContext, ConnectProperties> ClientConnect { get; }

    /// <summary>`client.authenticate`: is the client who it says? Null is undecided. Asked as source `hooks` of `Security:AuthenticationOrder`, which usually comes first.</summary>
    IHookChain<AuthenticateRequest, AuthenticateAnswer?> ClientAuthenticate { get; }

    /// <summary>`client.connack`: CONNACK is about to be written, also one that refuses.</summary>
    IHookFilter<ConnackContext, ConnackProperties> ClientConnack { get; }

    /// <summary>`client.connected`: CONNACK has been written.</summary>
    IHookEvent<ClientContext> ClientConnected { get; }

    /// <summary>`client.disconnected`</summary>
    IHookEvent<ClientDisconnected> ClientDisconnected { get; }

    /// <summary>`client.check_acl`: may the client publish or subscribe? Null is undecided. Asked as source `hooks` of `Security:AuthorizationOrder`, which usually comes first;
    /// answers are remembered like other sources'.</summary>
    IHookChain<AccessRequest, bool?> ClientCheckAcl { get; }

    /// <summary>`client.subscribe`: the filters of a SUBSCRIBE that the access rules allow, as the client wrote them. A callback may rewrite or refuse them, but not change how many there are.</summary>
    IHookChain<ClientContext, IReadOnlyList<RequestedFilter>> ClientSubscribe { get; }

    /// <summary>`client.unsubscribe`: the filters of an UNSUBSCRIBE, as the client wrote them. A callback may rewrite them, but not change how many there are.</summary>
    IHookChain<ClientContext, IReadOnlyList<string>> ClientUnsubscribe { get; }

    /// <summary>`session.created`</summary>
    IHookEvent<SessionEvent> SessionCreated { get; }

    /// <summary>`session.resumed`</summary>
    IHookEvent<SessionEvent> SessionResumed { get; }

    /// <summary>`session.subscribed`: the whole cluster routes to the session.</summary>
    IHookEvent<SessionSubscribed> SessionSubscribed { get; }

    /// <summary>`session.unsubscribed`</summary>
    IHookEvent<SessionUnsubscribed> SessionUnsubscribed { get; }

    /// <summary>`session.discarded`: its client has begun another one.</summary>
    IHookEvent<SessionEvent> SessionDiscarded { get; }

    /// <summary>`session.takeovered`: another connection of the client has it now.</summary>
    IHookEvent<SessionEvent> SessionTakenOver { get; }

    /// <summary>`session.terminated`: it has ended with its connection, or has expired.</summary>
    IHookEvent<SessionEvent> SessionTerminated { get; }

    /// <summary>`message.publish`: a message is about to be routed; its topic has the client's mountpoint. Null routes it to nobody, and its publisher is answered as if it had been.</summary>
    IHookChain<PublishContext, ApplicationMessage?> MessagePublish { get; }

    /// <summary>`message.delivered`: a message is about to be written to a client. Topic, QoS and RETAIN of the value are not looked at: the subscription decides.</summary>
    IHookFilter<ClientContext, ApplicationMessage> MessageDelivered { get; }

    /// <summary>`message.acked`: a client has acknowledged a message of QoS 1 or 2.</summary>
    IHookEvent<MessageAcked> MessageAcked { get; }

    /// <summary>`message.dropped`: a message has been routed to nobody.</summary>
    IHookEvent<MessageDropped> MessageDropped { get; }

    /// <summary>`delivery.dropped`: one subscriber does not get a message.</summary>
    IHookEvent<DeliveryDropped> DeliveryDropped { get; }
}
