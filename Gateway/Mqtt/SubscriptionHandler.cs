using Broker.Gateway.History;
using Broker.Gateway.Hooks;
using Broker.Gateway.Links;
using Broker.Gateway.Modules;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Mqtt;

/// <summary>Answers SUBSCRIBE and UNSUBSCRIBE: checks each filter, subscribes cluster-wide, sends what is retained.</summary>
internal sealed class SubscriptionHandler(Authorization authorization, RetainedLinks retained, BrokerHooks hooks, FlightRecorder recorder, TopicRewrite rewrite)
{
    /// <summary>SUBSCRIBE. SUBACK goes out when every matching message anywhere reaches the client (promise 2).</summary>
    public async ValueTask SubscribeAsync(Connection connection, SubscribePacket packet)
    {
        BrokerCounters.Add(Metric.PacketsSubscribeReceived);
        var codes = new ReasonCode[packet.Requests.Length];
        var accepted = new List<Subscription>(packet.Requests.Length);
        for (var i = 0; i < codes.Length; i++)
        {
            codes[i] = await CheckAsync(connection, packet.Requests[i]);
            if (connection.IsEnding) return;
        }

        var rewritten = Array.ConvertAll(packet.Requests, one => one with { Filter = Rewrite(connection, one.Filter) });
        var requests = await SubscriptionHooks.ReadAsync(hooks, connection.Access!.Context, rewritten, codes);
        for (var i = 0; i < codes.Length; i++)
        {
            if (codes[i] == ReasonCode.Success) codes[i] = Note(connection, requests[i].Filter, Accept(connection, requests[i], accepted));
        }

        if (connection.IsEnding) return;
        var results = accepted.Count > 0 ? await AddAsync(connection, [.. accepted]) : [];
        if (connection.IsEnding) return;
        for (int i = 0, next = 0; i < codes.Length; i++)
        {
            if (codes[i] == ReasonCode.Success) codes[i] = results[next++].Code;
        }

        connection.Send(new SubackPacket(packet.PacketIdentifier, codes));
        NoteSubscribed(connection, accepted, results);
        if (results.Length > 0) SendRetained(connection, accepted, results);
    }

    /// <summary>UNSUBSCRIBE.</summary>
    public async ValueTask UnsubscribeAsync(Connection connection, UnsubscribePacket packet)
    {
        BrokerCounters.Add(Metric.PacketsUnsubscribeReceived);
        var codes = new ReasonCode[packet.Filters.Length];
        var filters = new List<TopicFilter>(codes.Length);
        var asked = await SubscriptionHooks.ReadAsync(hooks, connection.Access!.Context, Array.ConvertAll(packet.Filters, filter => Rewrite(connection, filter)));
        if (connection.IsEnding) return;
        for (var i = 0; i < codes.Length; i++)
        {
            if (TryMount(connection, asked[i], out var filter)) filters.Add(filter);
            else codes[i] = ReasonCode.TopicFilterInvalid;
        }

        var results = filters.Count > 0 ? await RemoveAsync(connection, [.. filters]) : [];
        if (connection.IsEnding) return;
        for (int i = 0, next = 0; i < codes.Length; i++)
        {
            if (codes[i] == ReasonCode.Success) codes[i] = results[next++];
        }

        foreach (var filter in filters) connection.Retained?.Cancel(filter);
        connection.Send(new UnsubackPacket(packet.PacketIdentifier, codes));
        NoteUnsubscribed(connection, filters, results);
    }

    /// <summary>Subscribes a client on behalf of somebody else: no access rule is asked, and the client is not told.</summary>
    public async Task<ReasonCode> AddAsync(Connection connection, string filter, SubscriptionOptions wanted)
    {
        var accepted = new List<Subscription>(1);
        if (connection is not { IsEnding: false, Session: not null }) return ReasonCode.UnspecifiedError;
        var code = Note(connection, filter, Accept(connection, new SubscriptionRequest(filter, wanted), accepted));
        if (code != ReasonCode.Success) return code;
        var results = await AddAsync(connection, [.. accepted]);
        if (connection.IsEnding) return ReasonCode.UnspecifiedError;
        NoteSubscribed(connection, accepted, results);
        SendRetained(connection, accepted, results);
        return results[0].Code;
    }

    /// <summary>Ends a client's subscription on behalf of somebody else.</summary>
    public async Task<ReasonCode> RemoveAsync(Connection connection, string written)
    {
        if (connection is not { IsEnding: false, Session: not null }) return ReasonCode.UnspecifiedError;
        if (!TryMount(connection, written, out var filter)) return ReasonCode.TopicFilterInvalid;
        var results = await RemoveAsync(connection, [filter]);
        connection.Retained?.Cancel(filter);
        if (!connection.IsEnding) NoteUnsubscribed(connection, [filter], results);
        return results[0];
    }

    /// <summary>Goes on with the retained messages that an earlier connection of the session left.</summary>
    public void Resume(Connection connection)
    {
        foreach (var rest in connection.Session!.RetainedRests) FeedOf(connection).Resume(rest);
        connection.Retained?.Pump();
    }

    private void NoteSubscribed(Connection connection, List<Subscription> accepted, SubscribeResult[] results)
    {
        for (var i = 0; i < results.Length; i++)
        {
            var filter = accepted[i].Filter.Text;
            if (Note(connection, filter, results[i].Code) < ReasonCode.UnspecifiedError) recorder.Add(connection.Client!.ClientId, new ClientEvent(ClientEventKind.Subscribed, results[i].Code) { Topic = filter });
        }

        SubscriptionHooks.Subscribed(hooks, connection.Access!.Context, accepted, results);
    }

    /// <summary>Remembers why a client is not subscribed; what an access rule denies <see cref="Authorization"/> does.</summary>
    private ReasonCode Note(Connection connection, string filter, ReasonCode code)
    {
        if (code >= ReasonCode.UnspecifiedError) recorder.Add(connection.Client!.ClientId, new ClientEvent(ClientEventKind.SubscribeDenied, code, ClientEvent.Broker) { Topic = filter });
        return code;
    }

    private void NoteUnsubscribed(Connection connection, List<TopicFilter> filters, ReasonCode[] results)
    {
        for (var i = 0; i < results.Length; i++) recorder.Add(connection.Client!.ClientId, new ClientEvent(ClientEventKind.Unsubscribed, results[i]) { Topic = filters[i].Text });
        SubscriptionHooks.Unsubscribed(hooks, connection.Access!.Context, filters, results);
    }

    // Methods of their own: what begins behind them, such as the reading of retained messages, belongs to no trace.
    private static async ValueTask<SubscribeResult[]> AddAsync(Connection connection, Subscription[] subscriptions)
    {
        using var activity = BrokerActivities.Subscribe(connection.Client!.ClientId);
        return await connection.Session!.SubscribeAsync(subscriptions);
    }

    private static async ValueTask<ReasonCode[]> RemoveAsync(Connection connection, TopicFilter[] filters)
    {
        using var activity = BrokerActivities.Unsubscribe(connection.Client!.ClientId);
        return await connection.Session!.UnsubscribeAsync(filters);
    }

    private RetainedFeed FeedOf(Connection connection) => connection.Retained ??= new RetainedFeed(connection, retained, connection.Mqtt);

    /// <returns>Success if the filter may be subscribed.</returns>
    private async ValueTask<ReasonCode> CheckAsync(Connection connection, SubscriptionRequest request)
    {
        var options = connection.Mqtt;
        if (request.Options.Identifier != 0 && !options.SubscriptionIdentifiers) return Fault(ReasonCode.SubscriptionIdentifiersNotSupported);
        if (!TopicFilter.TryParse(request.Filter, out var written)) return options.StrictMode ? Fault(ReasonCode.TopicFilterInvalid) : Refuse(ReasonCode.TopicFilterInvalid);
        if (written.IsShared && !options.SharedSubscription) return Refuse(ReasonCode.SharedSubscriptionsNotSupported);
        if (written.IsShared && request.Options.NoLocal) return Fault(ReasonCode.ProtocolError); // [MQTT-3.8.3-4]
        if (written.HasWildcard && !options.WildcardSubscription) return Refuse(ReasonCode.WildcardSubscriptionsNotSupported);
        if (options.MaxTopicLevels > 0 && written.Path.AsSpan().Count('/') >= options.MaxTopicLevels) return Refuse(ReasonCode.TopicFilterInvalid);
        return await connection.Access!.MayAsync(TopicAccess.Subscribe, written.Path) ? ReasonCode.Success : Deny(connection);

        ReasonCode Refuse(ReasonCode code) => Note(connection, request.Filter, code);

        ReasonCode Fault(ReasonCode code)
        {
            BrokerCounters.Add(Metric.PacketsSubscribeError);
            _ = Refuse(code);
            connection.Disconnect(code, "SUBSCRIBE not acceptable");
            return code;
        }
    }

    /// <returns>Success if there is room for the subscription, and then it is among the accepted.</returns>
    private static ReasonCode Accept(Connection connection, SubscriptionRequest request, List<Subscription> accepted)
    {
        if (!TryMount(connection, request.Filter, out var filter) || (filter.IsExclusive && !connection.Mqtt.ExclusiveSubscription)) return ReasonCode.TopicFilterInvalid;
        if (IsOverLimit(connection, filter, accepted)) return ReasonCode.QuotaExceeded;
        var subscription = request.Options;
        if (connection.Mqtt.IgnoreLoopDeliver && !connection.IsV5 && !filter.IsShared) subscription = subscription with { NoLocal = true };
        accepted.Add(new Subscription(filter, subscription));
        return ReasonCode.Success;
    }

    /// <summary>Whether one more subscription is one too many. One that replaces another is none more. [MQTT-3.8.4-3]</summary>
    private static bool IsOverLimit(Connection connection, TopicFilter filter, List<Subscription> accepted)
    {
        var (session, most) = (connection.Session!, connection.Mqtt.MaxSubscriptions);
        if (most == 0 || session.IsSubscribed(filter) || accepted.Exists(other => other.Filter.Text == filter.Text)) return false;
        var added = accepted.Where(other => !session.IsSubscribed(other.Filter)).DistinctBy(other => other.Filter.Text).Count();
        return session.SubscriptionCount + added >= most;
    }

    private ReasonCode Deny(Connection connection)
    {
        if (authorization.DenialDisconnects) connection.Disconnect(ReasonCode.NotAuthorized, "subscribe not authorized");
        return ReasonCode.NotAuthorized;
    }

    /// <summary>The filter as the module changes it; what is changed into none stays as it is.</summary>
    private string Rewrite(Connection connection, string written)
    {
        if (!TopicFilter.TryParse(written, out var filter)) return written;
        var changed = written[..^filter.Path.Length] + rewrite.OfSubscribe(filter.Path, connection.Client!);
        return TopicFilter.TryParse(changed, out _) ? changed : written;
    }

    /// <summary>The filter with the client's mountpoint before its path.</summary>
    private static bool TryMount(Connection connection, string written, out TopicFilter filter)
    {
        if (!TopicFilter.TryParse(written, out filter)) return false;
        if (connection.Mountpoint.Length == 0) return true;
        var prefix = written[..^filter.Path.Length];
        return TopicFilter.TryParse(prefix + connection.Mountpoint + filter.Path, out filter);
    }

    private void SendRetained(Connection connection, List<Subscription> subscriptions, SubscribeResult[] results)
    {
        for (var i = 0; i < results.Length; i++)
        {
            var (filter, wanted) = subscriptions[i];
            // Shared subscriptions get none; the others as they asked. [MQTT-3.3.1-9], [MQTT-3.3.1-10], [MQTT-3.3.1-11]
            if (results[i].Code >= ReasonCode.UnspecifiedError || filter.IsShared || wanted.RetainHandling == RetainHandling.DoNotSend
                || (wanted.RetainHandling == RetainHandling.SendIfNew && !results[i].IsNew)) continue;
            FeedOf(connection).Add(subscriptions[i]);
        }

        connection.Retained?.Pump();
    }
}
