using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;

namespace Broker.Grains.Sessions;

// What a session is subscribed to.
internal sealed partial class SessionGrain
{
    public async Task<SubscribeResult[]> Subscribe(Subscription[] requested)
    {
        DemandRead();
        var results = new SubscribeResult[requested.Length];
        if (session is null)
        {
            Array.Fill(results, new SubscribeResult(ReasonCode.UnspecifiedError, false));
            return results;
        }

        var saved = new List<Task<bool>>(requested.Length);
        var subscriptions = new SessionSubscription[requested.Length];
        for (var i = 0; i < requested.Length; i++)
        {
            var (filter, options) = requested[i];
            var before = session.Subscriptions.Find(filter.Text);
            subscriptions[i] = new SessionSubscription(filter.Text, before?.Number ?? session.Subscriptions.NextNumber(), map.ShardOf(filter), options);
            results[i] = new SubscribeResult((ReasonCode)options.Qos, before is null);
            // Before it is stored, as a shard that comes up takes what is stored to be granted.
            if (before is null && filter.IsExclusive && !await publisher.ClaimAsync(RouteOf(subscriptions[i], remove: false)))
            {
                (results[i], saved) = (new SubscribeResult(ReasonCode.QuotaExceeded, false), [.. saved, Task.FromResult(false)]);
                continue;
            }

            session.Subscriptions.Set(subscriptions[i]);
            saved.Add(store.WriteAsync(new SaveSubscription(session.Lease, subscriptions[i])));
        }

        var outcomes = await Task.WhenAll(saved);
        for (var i = 0; i < results.Length; i++)
        {
            if (outcomes[i] && (!requested[i].Filter.IsExclusive || await IsHeldAsync(results[i], subscriptions[i]))) continue;
            if (results[i].IsNew) await WithdrawAsync(requested[i].Filter, subscriptions[i]);
            results[i] = new SubscribeResult(ReasonCode.QuotaExceeded, false);
        }

        await publisher.ChangeRoutesAsync(subscriptions.Where((_, i) => results[i].IsNew).Select(subscription => RouteOf(subscription, remove: false)));
        return results;
    }

    public async Task<ReasonCode[]> Unsubscribe(TopicFilter[] filters)
    {
        DemandRead();
        var codes = new ReasonCode[filters.Length];
        var gone = new List<SessionSubscription>();
        for (var i = 0; i < filters.Length; i++)
        {
            if (session?.Subscriptions.Find(filters[i].Text) is not { } subscription)
            {
                codes[i] = ReasonCode.NoSubscriptionExisted;
                continue;
            }

            gone.Add(subscription);
            session.Subscriptions.Remove(subscription.Filter);
            store.Submit(new RemoveSubscription(session.Lease, subscription.Filter));
        }

        await publisher.ChangeRoutesAsync(gone.Select(subscription => RouteOf(subscription, remove: true)));
        await store.FlushAsync();
        return codes;
    }

    /// <summary>Asks again, now that it is stored: a shard that came up in between may have granted the filter to somebody else.</summary>
    private async ValueTask<bool> IsHeldAsync(SubscribeResult result, SessionSubscription subscription) => !result.IsNew || await publisher.ClaimAsync(RouteOf(subscription, remove: false));

    /// <summary>A new subscription has come to nothing.</summary>
    private async ValueTask WithdrawAsync(TopicFilter filter, SessionSubscription subscription)
    {
        session!.Subscriptions.Remove(subscription.Filter);
        if (!filter.IsExclusive) return;
        store.Submit(new RemoveSubscription(session.Lease, subscription.Filter));
        await publisher.ChangeRoutesAsync([RouteOf(subscription, remove: true)]);
    }
}
