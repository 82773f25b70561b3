using Broker.Gateway.History;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Plugins;

namespace Broker.Gateway.Hooks;

/// <summary>The hook points as plugins and grains see them.</summary>
internal sealed partial class BrokerHooks
{
    IHookChain<ClientContext, ConnectProperties> IHooks.ClientConnect => ClientConnect;

    IHookChain<AuthenticateRequest, AuthenticateAnswer?> IHooks.ClientAuthenticate => ClientAuthenticate;

    IHookFilter<ConnackContext, ConnackProperties> IHooks.ClientConnack => ClientConnack;

    IHookEvent<ClientContext> IHooks.ClientConnected => ClientConnected;

    IHookEvent<ClientDisconnected> IHooks.ClientDisconnected => ClientDisconnected;

    IHookChain<AccessRequest, bool?> IHooks.ClientCheckAcl => ClientCheckAcl;

    IHookChain<ClientContext, IReadOnlyList<RequestedFilter>> IHooks.ClientSubscribe => ClientSubscribe;

    IHookChain<ClientContext, IReadOnlyList<string>> IHooks.ClientUnsubscribe => ClientUnsubscribe;

    IHookEvent<SessionEvent> IHooks.SessionCreated => SessionCreated;

    IHookEvent<SessionEvent> IHooks.SessionResumed => SessionResumed;

    IHookEvent<SessionSubscribed> IHooks.SessionSubscribed => SessionSubscribed;

    IHookEvent<SessionUnsubscribed> IHooks.SessionUnsubscribed => SessionUnsubscribed;

    IHookEvent<SessionEvent> IHooks.SessionDiscarded => SessionDiscarded;

    IHookEvent<SessionEvent> IHooks.SessionTakenOver => SessionTakenOver;

    IHookEvent<SessionEvent> IHooks.SessionTerminated => SessionTerminated;

    IHookChain<PublishContext, ApplicationMessage?> IHooks.MessagePublish => MessagePublish;

    IHookFilter<ClientContext, ApplicationMessage> IHooks.MessageDelivered => MessageDelivered;

    IHookEvent<MessageAcked> IHooks.MessageAcked => MessageAcked;

    IHookEvent<MessageDropped> IHooks.MessageDropped => MessageDropped;

    IHookEvent<DeliveryDropped> IHooks.DeliveryDropped => DeliveryDropped;

    async ValueTask<ApplicationMessage?> IBrokerHooks.PublishingAsync(ApplicationMessage message) =>
        MessagePublish.IsEmpty ? message : await PublishingAsync(null, message);

    void IBrokerHooks.MessageDropped(ApplicationMessage message, string reason)
    {
        TopicMetrics?.Find(message.Topic)?.CountDropped();
        Traces?.Unrouted(message, reason);
        if (!MessageDropped.IsEmpty) MessageDropped.Raise(new MessageDropped(message, reason));
    }

    void IBrokerHooks.DeliveryDropped(string clientId, ApplicationMessage message, string reason)
    {
        Traces?.Dropped(clientId, message, reason);
        Recorder?.AddDropped(clientId, message.Topic.Text, reason);
        if (!DeliveryDropped.IsEmpty) DeliveryDropped.Raise(new DeliveryDropped(clientId, message, reason));
    }

    void IBrokerHooks.SessionEnded(string clientId, bool isDiscarded)
    {
        var reason = isDiscarded ? "discarded" : "terminated";
        Traces?.SessionEnded(clientId, reason);
        Recorder?.Add(clientId, new ClientEvent(ClientEventKind.SessionEnded) { Reason = reason });
        var point = isDiscarded ? SessionDiscarded : SessionTerminated;
        if (!point.IsEmpty) point.Raise(new SessionEvent(clientId, Reason: reason));
    }
}
