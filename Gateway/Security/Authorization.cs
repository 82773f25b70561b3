using Broker.Gateway.History;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Security;

/// <summary>The chain that decides what a client may do.</summary>
internal sealed class Authorization(IEnumerable<IAuthorizer> authorizers, IOptions<SecurityOptions> security, AnswerEpoch epoch, FlightRecorder recorder)
{
    private readonly SecurityOptions options = security.Value;
    private readonly IAuthorizer[] authorizers = SourceOrder.Apply(authorizers, source => source.Name, security.Value.AuthorizationOrder);
    private volatile Need need = new(-1, true);

    private sealed record Need(int Epoch, bool IsNeeded);

    /// <summary>False while every topic is open to everybody: then nothing needs to be asked.</summary>
    public bool IsNeeded
    {
        get
        {
            var (known, now) = (need, epoch.Current);
            if (known.Epoch != now) need = known = new Need(now, options.NoMatch == "deny" || Array.Exists(authorizers, source => !source.HasNoRules));
            return known.IsNeeded;
        }
    }

    /// <summary>Whether a denial ends the connection.</summary>
    public bool DenialDisconnects => options.DenialDisconnects;

    /// <inheritdoc cref="AnswerEpoch.Current"/>
    public int Epoch => epoch.Current;

    /// <summary>What one connection remembers; null if it is to ask each time.</summary>
    public AccessCache? MakeCache() => options.AccessCacheSize > 0 ? new AccessCache(options.AccessCacheSize) : null;

    /// <summary>Asks the sources in their order until one does not ignore; if all do, the configuration decides.</summary>
    public async ValueTask<AccessAnswer> AuthorizeAsync(ClientInfo client, TopicAccess access, string topic, DateTimeOffset now)
    {
        BrokerCounters.Add(Metric.ClientCheckAcl);
        var until = now + options.AccessCacheTime;
        foreach (var source in authorizers)
        {
            if (source.HasNoRules) continue;
            var result = await source.AuthorizeAsync(client, access, topic);
            if (result.IsPassing) until = default;
            else if (result.Until < until) until = result.Until.Value;
            if (result.Verdict != AuthorizationVerdict.Ignore) return Decide(result.Verdict == AuthorizationVerdict.Allow, source.Name, result.Rule);
            BrokerCounters.Add(Metric.ClientAclIgnore);
        }

        return Decide(options.NoMatch == "allow", ClientEvent.Broker, "no rule matches");

        AccessAnswer Decide(bool isAllowed, string source, string? rule)
        {
            if (!isAllowed) Note(client, access, topic, source, rule);
            BrokerCounters.Add(isAllowed ? Metric.ClientAclAllow : Metric.ClientAclDeny);
            return new AccessAnswer(isAllowed, until == default ? 0 : until.ToUnixTimeMilliseconds());
        }
    }

    /// <summary>A client is refused what it was refused before, and nobody is asked.</summary>
    public void NoteAgain(ClientInfo client, TopicAccess access, string topic)
    {
        if (!recorder.Repeat(client.ClientId, KindOf(access), topic)) Note(client, access, topic, "access cache", null);
    }

    private static ClientEventKind KindOf(TopicAccess access) => access == TopicAccess.Publish ? ClientEventKind.PublishDenied : ClientEventKind.SubscribeDenied;

    private void Note(ClientInfo client, TopicAccess access, string topic, string source, string? rule)
    {
        recorder.Add(client.ClientId, new ClientEvent(KindOf(access), ReasonCode.NotAuthorized, source) { Rule = rule, Topic = topic });
    }
}
