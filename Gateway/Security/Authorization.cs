using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Security;

/// <summary>The chain that decides what a client may do.</summary>
internal sealed class Authorization(IEnumerable<IAuthorizer> authorizers, IOptions<SecurityOptions> security, RefusalHistory refusals)
{
    private readonly SecurityOptions options = security.Value;
    private readonly IAuthorizer[] authorizers = SourceOrder.Apply(authorizers, source => source.Name, security.Value.AuthorizationOrder);
    private int epoch;

    /// <summary>False if every topic is open to everybody: then nothing needs to be asked.</summary>
    public bool IsNeeded => authorizers.Length > 0 || options.NoMatch == "deny";

    /// <summary>Whether a denial ends the connection.</summary>
    public bool DenialDisconnects => options.DenialDisconnects;

    /// <summary>Answers that were remembered in an earlier epoch no longer hold.</summary>
    public int Epoch => Volatile.Read(ref epoch);

    /// <summary>Makes every connection of this process ask anew: rules have changed.</summary>
    public void ForgetAnswers() => Interlocked.Increment(ref epoch);

    /// <summary>What one connection remembers; null if it is to ask each time.</summary>
    public AccessCache? MakeCache() => options.AccessCacheSize > 0 ? new AccessCache(options.AccessCacheSize, options.AccessCacheTime) : null;

    /// <summary>Asks the sources in their order until one does not ignore; if all do, the configuration decides.</summary>
    public async ValueTask<bool> AuthorizeAsync(ClientInfo client, TopicAccess access, string topic)
    {
        BrokerCounters.Add(Metric.ClientCheckAcl);
        foreach (var source in authorizers)
        {
            var result = await source.AuthorizeAsync(client, access, topic);
            if (result.Verdict == AuthorizationVerdict.Ignore)
            {
                BrokerCounters.Add(Metric.ClientAclIgnore);
                continue;
            }

            return Decide(client, access, topic, result.Verdict == AuthorizationVerdict.Allow, source.Name, result.Rule);
        }

        return Decide(client, access, topic, options.NoMatch == "allow", Refusal.Broker, "no rule matches");
    }

    private bool Decide(ClientInfo client, TopicAccess access, string topic, bool isAllowed, string source, string? rule)
    {
        BrokerCounters.Add(isAllowed ? Metric.ClientAclAllow : Metric.ClientAclDeny);
        if (isAllowed) return true;
        var kind = access == TopicAccess.Publish ? RefusalKind.Publish : RefusalKind.Subscribe;
        refusals.Add(client.ClientId, new Refusal(kind, ReasonCode.NotAuthorized, source) { Rule = rule, Topic = topic });
        return false;
    }
}
