using Broker.Gateway.ExHook.Protocol;
using Broker.Gateway.Hooks;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Plugins;
using Grpc.Core;
using TopicFilter = Broker.Grains.Interfaces.Topics.TopicFilter;

namespace Broker.Gateway.ExHook;

/// <summary>The callbacks of one server at the hooks it has named.</summary>
/// <param name="lanes">Where what nobody waits for is sent in its order.</param>
/// <param name="security">What a client is to get if nobody decides.</param>
internal sealed class ExHookCallbacks(IHooks hooks, HookLanes lanes, ExHookCalls calls, ExHookMessages messages, ExHookOptions options, SecurityOptions security)
{
    private readonly Lock gate = new();
    private readonly List<IDisposable> added = [];

    private bool FailsClosed => options.RequestFailedAction == "deny";

    /// <summary>What the server would decide is not known yet.</summary>
    public void FailUntilLoaded()
    {
        if (!FailsClosed) return;
        lock (gate)
        {
            added.Add(hooks.ClientAuthenticate.Add((_, _) => new(Denied()), options.HookPriority));
            added.Add(hooks.ClientCheckAcl.Add((_, _) => new(HookAnswer<bool?>.StopWith(false)), options.HookPriority));
        }
    }

    /// <summary>Takes the place of all that were there.</summary>
    /// <returns>The names that are known.</returns>
    public IReadOnlyList<string> Set(IEnumerable<HookSpec> specs)
    {
        lock (gate)
        {
            IDisposable[] before = [.. added];
            added.Clear();
            var known = new List<string>();
            foreach (var spec in specs)
            {
                if (Add(spec) is not { } callback) continue;
                added.Add(callback);
                known.Add(spec.Name);
            }

            foreach (var one in before) one.Dispose(); // behind the new ones: there is no moment without
            return known;
        }
    }

    public void Clear() => Set([]);

    private static HookAnswer<AuthenticateAnswer?> Denied() => HookAnswer<AuthenticateAnswer?>.StopWith(new AuthenticateAnswer(false, Reason: "the hook server does not answer"));

    private IDisposable? Add(HookSpec spec)
    {
        var priority = options.HookPriority;
        var topics = new TopicFilters(spec.Topics);
        return spec.Name switch
        {
            "client.connect" => hooks.ClientConnect.Add((client, asked) => new(Tell<ConnectProperties>(spec.Name, client, (to, call) =>
                to.OnClientConnectAsync(new ClientConnectRequest { Conninfo = messages.Connection(client), Props = { ExHookMessages.Properties(asked.UserProperties) }, Meta = messages.Meta }, call))), priority),
            "client.connack" => hooks.ClientConnack.Add((about, given) => Tell<ConnackProperties>(spec.Name, about.Client, (to, call) =>
                to.OnClientConnackAsync(new ClientConnackRequest { Conninfo = messages.Connection(about.Client), ResultCode = Name(about.Code), Props = { ExHookMessages.Properties(given.UserProperties) }, Meta = messages.Meta }, call)), priority),
            "client.connected" => hooks.ClientConnected.Add(client => SendAsync(spec.Name, (to, call) =>
                to.OnClientConnectedAsync(new ClientConnectedRequest { Clientinfo = messages.Client(client), Meta = messages.Meta }, call)), priority),
            "client.disconnected" => hooks.ClientDisconnected.Add(gone => SendAsync(spec.Name, (to, call) =>
                to.OnClientDisconnectedAsync(new ClientDisconnectedRequest { Clientinfo = messages.Client(gone.Client), Reason = gone.Reason, Meta = messages.Meta }, call)), priority),
            "client.authenticate" => hooks.ClientAuthenticate.Add(AuthenticateAsync, priority),
            "client.check_acl" => hooks.ClientCheckAcl.Add(CheckAclAsync, priority),
            "client.subscribe" => hooks.ClientSubscribe.Add((client, filters) => new(Tell<IReadOnlyList<RequestedFilter>>(spec.Name, client, (to, call) =>
                to.OnClientSubscribeAsync(new ClientSubscribeRequest { Clientinfo = messages.Client(client), TopicFilters = { filters.Select(one => new Protocol.TopicFilter { Name = one.Filter, Qos = (uint)one.Options.Qos }) }, Meta = messages.Meta }, call))), priority),
            "client.unsubscribe" => hooks.ClientUnsubscribe.Add((client, filters) => new(Tell<IReadOnlyList<string>>(spec.Name, client, (to, call) =>
                to.OnClientUnsubscribeAsync(new ClientUnsubscribeRequest { Clientinfo = messages.Client(client), TopicFilters = { filters.Select(one => new Protocol.TopicFilter { Name = one }) }, Meta = messages.Meta }, call))), priority),
            "session.created" => hooks.SessionCreated.Add(session => SendAsync(spec.Name, (to, call) => to.OnSessionCreatedAsync(Session(session), call)), priority),
            "session.resumed" => hooks.SessionResumed.Add(session => SendAsync(spec.Name, (to, call) => to.OnSessionResumedAsync(Session(session), call)), priority),
            "session.discarded" => hooks.SessionDiscarded.Add(session => SendAsync(spec.Name, (to, call) => to.OnSessionDiscardedAsync(Session(session), call)), priority),
            "session.takeovered" => hooks.SessionTakenOver.Add(session => SendAsync(spec.Name, (to, call) => to.OnSessionTakeoveredAsync(Session(session), call)), priority),
            "session.terminated" => hooks.SessionTerminated.Add(session => SendAsync(spec.Name, (to, call) =>
                to.OnSessionTerminatedAsync(new SessionTerminatedRequest { Clientinfo = messages.Client(session), Reason = session.Reason ?? "", Meta = messages.Meta }, call)), priority),
            "session.subscribed" => hooks.SessionSubscribed.Add(one => SendAsync(spec.Name, (to, call) =>
                to.OnSessionSubscribedAsync(new SessionSubscribedRequest { Clientinfo = messages.Client(one.Client), Topic = one.Filter, Subopts = ExHookMessages.Options(one.Filter, one.Options), Meta = messages.Meta }, call)), priority),
            "session.unsubscribed" => hooks.SessionUnsubscribed.Add(one => SendAsync(spec.Name, (to, call) =>
                to.OnSessionUnsubscribedAsync(new SessionUnsubscribedRequest { Clientinfo = messages.Client(one.Client), Topic = one.Filter, Meta = messages.Meta }, call)), priority),
            "message.publish" => hooks.MessagePublish.Add((_, message) => topics.Fit(message!) ? PublishAsync(message!) : new(HookAnswer<ApplicationMessage?>.Continue), priority),
            "message.delivered" => hooks.MessageDelivered.Add((client, message) => topics.Fit(message)
                ? Tell<ApplicationMessage>(spec.Name, client, (to, call) => to.OnMessageDeliveredAsync(Delivery(client, message), call)) : default, priority),
            "message.acked" => hooks.MessageAcked.Add(one => topics.Fit(one.Message) ? SendAsync(spec.Name, (to, call) => to.OnMessageAckedAsync(Delivery(one.Client, one.Message), call)) : default, priority),
            "message.dropped" => hooks.MessageDropped.Add(one => topics.Fit(one.Message) ? SendAsync(spec.Name, (to, call) =>
                to.OnMessageDroppedAsync(new MessageDroppedRequest { Message = messages.Message(one.Message), Reason = one.Reason, Meta = messages.Meta }, call)) : default, priority),
            _ => null,
        };
    }

    private async ValueTask<HookAnswer<AuthenticateAnswer?>> AuthenticateAsync(AuthenticateRequest request, AuthenticateAnswer? soFar)
    {
        var asked = new ClientAuthenticateRequest { Clientinfo = messages.Client(request.Client, request.Password), Result = soFar?.IsAllowed ?? security.AllowAnonymous, Meta = messages.Meta };
        if (await calls.AskAsync("client.authenticate", (to, call) => to.OnClientAuthenticateAsync(asked, call)) is not { } answer) return FailsClosed ? Denied() : default;
        if (answer.Type == ValuedResponse.Types.ResponsedType.Ignore || answer.ValueCase != ValuedResponse.ValueOneofCase.BoolResult) return default;
        return Answer<AuthenticateAnswer?>(answer.Type, new AuthenticateAnswer(answer.BoolResult, soFar?.IsSuperuser ?? false, Reason: "the hook server refuses"));
    }

    private async ValueTask<HookAnswer<bool?>> CheckAclAsync(AccessRequest request, bool? soFar)
    {
        var asked = new ClientCheckAclRequest
        {
            Clientinfo = messages.Client(request.Client),
            Type = request.IsPublish ? ClientCheckAclRequest.Types.AclReqType.Publish : ClientCheckAclRequest.Types.AclReqType.Subscribe,
            Topic = request.Topic,
            Result = soFar ?? security.NoMatch == "allow",
            Meta = messages.Meta,
        };
        if (await calls.AskAsync("client.check_acl", (to, call) => to.OnClientCheckAclAsync(asked, call)) is not { } answer) return FailsClosed ? HookAnswer<bool?>.StopWith(false) : default;
        if (answer.Type == ValuedResponse.Types.ResponsedType.Ignore || answer.ValueCase != ValuedResponse.ValueOneofCase.BoolResult) return default;
        return Answer<bool?>(answer.Type, answer.BoolResult);
    }

    private async ValueTask<HookAnswer<ApplicationMessage?>> PublishAsync(ApplicationMessage message)
    {
        var asked = new MessagePublishRequest { Message = messages.Message(message), Meta = messages.Meta };
        if (await calls.AskAsync("message.publish", (to, call) => to.OnMessagePublishAsync(asked, call)) is not { } answer) return default;
        if (answer.Type == ValuedResponse.Types.ResponsedType.Ignore || answer.ValueCase != ValuedResponse.ValueOneofCase.Message) return default;
        return ExHookMessages.Changed(message, answer.Message) is { } changed ? Answer<ApplicationMessage?>(answer.Type, changed) : default;
    }

    private static HookAnswer<T> Answer<T>(ValuedResponse.Types.ResponsedType type, T value) =>
        type == ValuedResponse.Types.ResponsedType.StopAndReturn ? HookAnswer<T>.StopWith(value) : HookAnswer<T>.ContinueWith(value);

    /// <summary>CONNACK's code in EMQ X's words.</summary>
    private static string Name(ReasonCode code) => code == ReasonCode.Success ? "success" : string.Concat(code.ToString().Select((letter, at) => char.IsUpper(letter) && at > 0 ? $"_{char.ToLowerInvariant(letter)}" : $"{char.ToLowerInvariant(letter)}"));

    private SessionRequest Session(SessionEvent session) => new() { Clientinfo = messages.Client(session), Meta = messages.Meta };

    private MessageClientRequest Delivery(ClientContext client, ApplicationMessage message) => new() { Clientinfo = messages.Client(client), Message = messages.Message(message), Meta = messages.Meta };

    /// <summary>Sends in the client's order what it does not wait for.</summary>
    private HookAnswer<T> Tell<T>(string hook, ClientContext client, Func<HookProvider.HookProviderClient, CallOptions, AsyncUnaryCall<EmptySuccess>> request)
    {
        lanes.Post(client.ClientId, () => calls.AskAsync(hook, request));
        return HookAnswer<T>.Continue;
    }

    private async ValueTask SendAsync(string hook, Func<HookProvider.HookProviderClient, CallOptions, AsyncUnaryCall<EmptySuccess>> request) => await calls.AskAsync(hook, request);

    /// <summary>The topics that a server wants to hear of; none named are all but the broker's own.</summary>
    private sealed class TopicFilters(IEnumerable<string> texts)
    {
        private readonly TopicFilter[] filters = [.. texts.Select(text => (Is: TopicFilter.TryParse(text, out var filter), Filter: filter)).Where(one => one.Is).Select(one => one.Filter)];
        private readonly bool all = !texts.Any();

        public bool Fit(ApplicationMessage message) => !message.Topic.IsSystem && (all || Array.Exists(filters, filter => filter.Matches(message.Topic)));
    }
}
