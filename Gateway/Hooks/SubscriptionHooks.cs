using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Plugins;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Hooks;

/// <summary>What hooks say of SUBSCRIBE and UNSUBSCRIBE.</summary>
internal static class SubscriptionHooks
{
    /// <summary>`client.subscribe`: the requests as callbacks leave them.</summary>
    /// <param name="codes">Those that are a success are asked about; becomes what callbacks refuse them with.</param>
    public static async ValueTask<SubscriptionRequest[]> ReadAsync(BrokerHooks hooks, ClientContext client, SubscriptionRequest[] requests, ReasonCode[] codes)
    {
        int[] places = [.. Enumerable.Range(0, requests.Length).Where(at => codes[at] == ReasonCode.Success)];
        if (hooks.ClientSubscribe.IsEmpty || places.Length == 0) return requests;
        var asked = Array.ConvertAll(places, at => new RequestedFilter(requests[at].Filter, requests[at].Options));
        var wanted = await hooks.ClientSubscribe.RunAsync(client, asked);
        if (wanted.Count != asked.Length) return requests; // which is which cannot be known
        SubscriptionRequest[] changed = [.. requests];
        for (var i = 0; i < places.Length; i++)
        {
            changed[places[i]] = new SubscriptionRequest(wanted[i].Filter, wanted[i].Options);
            if (wanted[i].Refusal >= ReasonCode.UnspecifiedError) codes[places[i]] = wanted[i].Refusal;
        }

        return changed;
    }

    /// <summary>`client.unsubscribe`: the filters as callbacks leave them.</summary>
    public static async ValueTask<string[]> ReadAsync(BrokerHooks hooks, ClientContext client, string[] filters)
    {
        if (hooks.ClientUnsubscribe.IsEmpty) return filters;
        var wanted = await hooks.ClientUnsubscribe.RunAsync(client, filters);
        return wanted.Count == filters.Length ? [.. wanted] : filters;
    }

    /// <summary>`session.subscribed`</summary>
    public static void Subscribed(BrokerHooks hooks, ClientContext client, List<Subscription> subscriptions, SubscribeResult[] results)
    {
        if (hooks.SessionSubscribed.IsEmpty) return;
        for (var i = 0; i < results.Length; i++)
        {
            if (results[i].Code >= ReasonCode.UnspecifiedError) continue;
            hooks.SessionSubscribed.Raise(new SessionSubscribed(client, subscriptions[i].Filter.Text, subscriptions[i].Options, results[i].IsNew));
        }
    }

    /// <summary>`session.unsubscribed`</summary>
    public static void Unsubscribed(BrokerHooks hooks, ClientContext client, List<TopicFilter> filters, ReasonCode[] results)
    {
        if (hooks.SessionUnsubscribed.IsEmpty) return;
        for (var i = 0; i < results.Length; i++)
        {
            if (results[i] == ReasonCode.Success) hooks.SessionUnsubscribed.Raise(new SessionUnsubscribed(client, filters[i].Text));
        }
    }
}
