using Broker.Gateway.History;
using Broker.Gateway.Security.Rules;
using Broker.Gateway.Security.Sources;
using Broker.Gateway.Tracing;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Security;

/// <summary>The chain that decides what a client may do.</summary>
internal sealed class Authorization
{
    private readonly IAuthorizer[] usual;
    private readonly SourceHost sources;
    private readonly IOptionsMonitor<SecurityOptions> security;
    private readonly Modules.Modules modules;
    private readonly AnswerEpoch epoch;
    private readonly FlightRecorder recorder;
    private volatile Chain chain;
    private volatile Need need = new(-1, true);

    /// <inheritdoc cref="Authentication(IEnumerable{IAuthenticator}, IEnumerable{IEnhancedAuthenticator}, SourceHost, IOptionsMonitor{SecurityOptions})"/>
    public Authorization(IEnumerable<IAuthorizer> usual, SourceHost sources, IOptionsMonitor<SecurityOptions> security, Modules.Modules modules, AnswerEpoch epoch, FlightRecorder recorder)
    {
        (this.usual, this.sources, this.security, this.modules, this.epoch, this.recorder) = ([.. usual], sources, security, modules, epoch, recorder);
        chain = MakeChain();
        sources.Changed += Follow;
        security.OnChange(_ => Follow());
        modules.OnChange(Follow);
    }

    private sealed record Chain(SecurityOptions Options, IAuthorizer[] Sources);

    private sealed record Need(int Epoch, bool IsNeeded);

    /// <summary>False while every topic is open to everybody: then nothing needs to be asked.</summary>
    public bool IsNeeded
    {
        get
        {
            var (known, now) = (need, epoch.Current);
            if (known.Epoch != now) need = known = new Need(now, chain.Options.NoMatch == "deny" || Array.Exists(chain.Sources, source => !source.HasNoRules));
            return known.IsNeeded;
        }
    }

    /// <summary>Whether a denial ends the connection.</summary>
    public bool DenialDisconnects => chain.Options.DenialDisconnects;

    /// <inheritdoc cref="AnswerEpoch.Current"/>
    public int Epoch => epoch.Current;

    /// <summary>What one connection remembers; null if it is to ask each time.</summary>
    public AccessCache? MakeCache() => chain.Options.AccessCacheSize is > 0 and var size ? new AccessCache(size) : null;

    /// <summary>Asks the sources in their order until one does not ignore; if all do, the configuration decides.</summary>
    public async ValueTask<AccessAnswer> AuthorizeAsync(ClientInfo client, TopicAccess access, string topic, DateTimeOffset now, ConnectionTracer? tracer = null)
    {
        BrokerCounters.Add(Metric.ClientCheckAcl);
        var decision = await DecideAsync(client, access, topic, now + chain.Options.AccessCacheTime);
        BrokerCounters.Add(Metric.ClientAclIgnore, decision.Ignored);
        BrokerCounters.Add(decision.IsAllowed ? Metric.ClientAclAllow : Metric.ClientAclDeny);
        tracer?.Decided(access, topic, decision.IsAllowed, decision.Source, decision.Rule);
        if (!decision.IsAllowed) Note(client, access, topic, decision.Source, decision.Rule);
        return new AccessAnswer(decision.IsAllowed, decision.Until == default ? 0 : decision.Until.ToUnixTimeMilliseconds());
    }

    /// <summary>Who decides what a client may do, and how. Nothing is counted, noted or remembered.</summary>
    public async ValueTask<AccessDecision> ExplainAsync(ClientInfo client, TopicAccess access, string topic) =>
        client.IsSuperuser ? new AccessDecision(true, ClientEvent.Broker, "superuser")
        : !IsNeeded ? new AccessDecision(true, ClientEvent.Broker, "there are no rules")
        : await DecideAsync(client, access, topic, DateTimeOffset.MaxValue);

    /// <param name="until">How long the answer may be remembered at most.</param>
    private async ValueTask<AccessDecision> DecideAsync(ClientInfo client, TopicAccess access, string topic, DateTimeOffset until)
    {
        var (options, authorizers) = chain;
        var ignored = 0;
        foreach (var source in authorizers)
        {
            if (source.HasNoRules) continue;
            var result = await source.AuthorizeAsync(client, access, topic);
            if (result.IsPassing) until = default;
            else if (result.Until < until) until = result.Until.Value;
            if (result.Verdict != AuthorizationVerdict.Ignore) return new AccessDecision(result.Verdict == AuthorizationVerdict.Allow, source.Name, result.Rule) { Until = until, Ignored = ignored };
            ignored++;
        }

        return new AccessDecision(options.NoMatch == "allow", ClientEvent.Broker, "no rule matches") { Until = until, Ignored = ignored };
    }

    /// <summary>A client is refused what it was refused before, and nobody is asked.</summary>
    public void NoteAgain(ClientInfo client, TopicAccess access, string topic)
    {
        if (!recorder.Repeat(client.ClientId, KindOf(access), topic)) Note(client, access, topic, "access cache", null);
    }

    private Chain MakeChain() => new(security.CurrentValue, SourceOrder.Apply(usual.Concat(sources.Authorizers.Where(IsOn)), source => source.Name, security.CurrentValue.AuthorizationOrder));

    private bool IsOn(IAuthorizer source) => source.Name != FileAuthorizer.SourceName || modules.IsActive(Modules.Modules.AclInternal);

    /// <summary>Nothing that is remembered holds any more, if somebody else is asked now.</summary>
    private void Follow()
    {
        var (before, now) = (chain, MakeChain());
        if (ReferenceEquals(before.Options, now.Options) && before.Sources.SequenceEqual(now.Sources)) return;
        chain = now;
        epoch.Next();
    }

    private static ClientEventKind KindOf(TopicAccess access) => access == TopicAccess.Publish ? ClientEventKind.PublishDenied : ClientEventKind.SubscribeDenied;

    private void Note(ClientInfo client, TopicAccess access, string topic, string source, string? rule)
    {
        recorder.Add(client.ClientId, new ClientEvent(KindOf(access), ReasonCode.NotAuthorized, source) { Rule = rule, Topic = topic });
    }
}

/// <summary>Who has decided what a client may do.</summary>
/// <param name="Source">The source, or the broker.</param>
internal readonly record struct AccessDecision(bool IsAllowed, string Source, string? Rule)
{
    /// <summary>How long it holds; the default is not at all.</summary>
    public DateTimeOffset Until { get; init; }

    /// <summary>How many sources were asked in vain.</summary>
    public int Ignored { get; init; }
}
