using System.Runtime.Loader;
using Broker.Gateway.History;
using Broker.Gateway.Modules;
using Broker.Gateway.Tracing;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Plugins;
using Microsoft.Extensions.Logging.Abstractions;

namespace Broker.Gateway.Hooks;

/// <summary>All hook points of a gateway.</summary>
internal sealed partial class BrokerHooks : IHooks, IBrokerHooks
{
    /// <summary>Those of a gateway without plugins.</summary>
    public static readonly BrokerHooks None = new(new HookFailures(TimeProvider.System, NullLogger.Instance), new HookLanes(), () => { }, failsClosed: false);

    private readonly List<Action<AssemblyLoadContext>> removers = [];
    private volatile bool watchesPublishes;
    private volatile bool watchesDeliveries;

    /// <param name="accessChanged">Called when answers about access may be others.</param>
    /// <param name="failsClosed">A callback that throws refuses the client; otherwise it is as if it were not there.</param>
    public BrokerHooks(HookFailures failures, HookLanes lanes, Action accessChanged, bool failsClosed)
    {
        ClientConnect = Chain<ClientContext, ConnectProperties>("client.connect");
        ClientAuthenticate = Chain("client.authenticate", (AuthenticateRequest _) => (AuthenticateAnswer?)new AuthenticateAnswer(false, Code: ReasonCode.ServerUnavailable, Reason: "a callback failed"));
        ClientCheckAcl = Chain("client.check_acl", (AccessRequest _) => (bool?)false, accessChanged);
        ClientSubscribe = Chain<ClientContext, IReadOnlyList<RequestedFilter>>("client.subscribe");
        ClientUnsubscribe = Chain<ClientContext, IReadOnlyList<string>>("client.unsubscribe");
        MessagePublish = Chain<PublishContext, ApplicationMessage?>("message.publish", changed: Note);
        ClientConnack = Filter<ConnackContext, ConnackProperties>("client.connack");
        MessageDelivered = Filter<ClientContext, ApplicationMessage>("message.delivered", Note);
        ClientConnected = Event<ClientContext>("client.connected", client => client.ClientId);
        ClientDisconnected = Event<ClientDisconnected>("client.disconnected", one => one.Client.ClientId);
        SessionCreated = Event<SessionEvent>("session.created", one => one.ClientId);
        SessionResumed = Event<SessionEvent>("session.resumed", one => one.ClientId);
        SessionSubscribed = Event<SessionSubscribed>("session.subscribed", one => one.Client.ClientId);
        SessionUnsubscribed = Event<SessionUnsubscribed>("session.unsubscribed", one => one.Client.ClientId);
        SessionDiscarded = Event<SessionEvent>("session.discarded", one => one.ClientId);
        SessionTakenOver = Event<SessionEvent>("session.takeovered", one => one.ClientId);
        SessionTerminated = Event<SessionEvent>("session.terminated", one => one.ClientId);
        MessageAcked = Event<MessageAcked>("message.acked", one => one.Client.ClientId, Note);
        MessageDropped = Event<MessageDropped>("message.dropped", one => one.Message.PublisherId);
        DeliveryDropped = Event<DeliveryDropped>("delivery.dropped", one => one.ClientId);

        HookChain<TContext, TValue> Chain<TContext, TValue>(string name, Func<TContext, TValue>? refusal = null, Action? changed = null)
        {
            var point = new HookChain<TContext, TValue>(name, failures, failsClosed && refusal is not null ? HookAnswer<TValue>.StopWith(refusal(default!)) : default, changed);
            removers.Add(point.Callbacks.RemoveAll);
            return point;
        }

        HookFilter<TContext, TValue> Filter<TContext, TValue>(string name, Action? changed = null)
        {
            var point = new HookFilter<TContext, TValue>(name, failures, changed);
            removers.Add(point.Callbacks.RemoveAll);
            return point;
        }

        HookEvent<TEvent> Event<TEvent>(string name, Func<TEvent, string> clientOf, Action? changed = null)
        {
            var point = new HookEvent<TEvent>(name, failures, lanes, clientOf, changed);
            removers.Add(point.Callbacks.RemoveAll);
            return point;
        }
    }

    /// <summary>Counts what goes over single topics, with callbacks or without.</summary>
    public TopicMetrics? TopicMetrics { get; init; }

    /// <summary>Finds slow clients, with callbacks or without.</summary>
    public SlowSubscriptions? SlowSubscriptions { get; init; }

    /// <summary>Traces to files, with callbacks or without.</summary>
    public Traces? Traces { get; init; }

    /// <summary>Remembers what sessions lose, with callbacks or without.</summary>
    public FlightRecorder? Recorder { get; init; }

    public HookChain<ClientContext, ConnectProperties> ClientConnect { get; }

    public HookChain<AuthenticateRequest, AuthenticateAnswer?> ClientAuthenticate { get; }

    public HookFilter<ConnackContext, ConnackProperties> ClientConnack { get; }

    public HookEvent<ClientContext> ClientConnected { get; }

    public HookEvent<ClientDisconnected> ClientDisconnected { get; }

    public HookChain<AccessRequest, bool?> ClientCheckAcl { get; }

    public HookChain<ClientContext, IReadOnlyList<RequestedFilter>> ClientSubscribe { get; }

    public HookChain<ClientContext, IReadOnlyList<string>> ClientUnsubscribe { get; }

    public HookEvent<SessionEvent> SessionCreated { get; }

    public HookEvent<SessionEvent> SessionResumed { get; }

    public HookEvent<SessionSubscribed> SessionSubscribed { get; }

    public HookEvent<SessionUnsubscribed> SessionUnsubscribed { get; }

    public HookEvent<SessionEvent> SessionDiscarded { get; }

    public HookEvent<SessionEvent> SessionTakenOver { get; }

    public HookEvent<SessionEvent> SessionTerminated { get; }

    public HookChain<PublishContext, ApplicationMessage?> MessagePublish { get; }

    public HookFilter<ClientContext, ApplicationMessage> MessageDelivered { get; }

    public HookEvent<MessageAcked> MessageAcked { get; }

    public HookEvent<MessageDropped> MessageDropped { get; }

    public HookEvent<DeliveryDropped> DeliveryDropped { get; }

    /// <summary>Whether callbacks want to see each message that is to be routed. Asked for every message, so it is one look.</summary>
    public bool WatchesPublishes => watchesPublishes;

    /// <summary>Whether callbacks want to see each message that is written to a client. The same.</summary>
    public bool WatchesDeliveries => watchesDeliveries;

    /// <summary>A message is about to be routed.</summary>
    /// <returns>What is to be routed; null if nothing is.</returns>
    public async ValueTask<ApplicationMessage?> PublishingAsync(ClientContext? publisher, ApplicationMessage message)
    {
        var changed = await MessagePublish.RunAsync(new PublishContext(publisher), message);
        if (changed is null && !MessageDropped.IsEmpty) MessageDropped.Raise(new MessageDropped(message, "denied"));
        return changed;
    }

    /// <summary>Takes away every callback of a plugin that is to be unloaded.</summary>
    public void RemoveAll(AssemblyLoadContext plugin)
    {
        foreach (var remove in removers) remove(plugin);
    }

    private void Note()
    {
        lock (removers) (watchesPublishes, watchesDeliveries) = (!MessagePublish.IsEmpty, !MessageDelivered.IsEmpty || !MessageAcked.IsEmpty);
    }
}
