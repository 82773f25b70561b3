using Broker.Gateway.Security.Sources;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Security;

/// <summary>The chain that decides who may connect.</summary>
internal sealed class Authentication
{
    private readonly IAuthenticator[] usual;
    private readonly SourceHost sources;
    private readonly IOptionsMonitor<SecurityOptions> security;
    private readonly Dictionary<string, IEnhancedAuthenticator> enhanced;
    private volatile Chain chain;

    /// <param name="usual">The sources that are there whatever is configured; those of <paramref name="sources"/> come behind.</param>
    public Authentication(IEnumerable<IAuthenticator> usual, IEnumerable<IEnhancedAuthenticator> enhanced, SourceHost sources, IOptionsMonitor<SecurityOptions> security)
    {
        (this.usual, this.sources, this.security) = ([.. usual], sources, security);
        this.enhanced = enhanced.ToDictionary(one => one.Method, StringComparer.Ordinal);
        chain = MakeChain();
        sources.Changed += () => chain = MakeChain();
        security.OnChange(_ => chain = MakeChain());
    }

    private sealed record Chain(SecurityOptions Options, IAuthenticator[] Sources);

    /// <summary>Asks the sources in their order until one does not ignore; if all do, whether anonymous clients are welcome decides. Listeners may take clients as they are.</summary>
    /// <param name="password">As it came.</param>
    public async ValueTask<AuthenticationResult> AuthenticateAsync(ClientInfo client, ReadOnlyMemory<byte>? password)
    {
        BrokerCounters.Add(Metric.ClientAuthenticate);
        if (!client.AuthenticationRequired) return Welcome();
        var (options, authenticators) = chain;
        if (options.RequireUserName && string.IsNullOrEmpty(client.UserName)) return Fail(AuthenticationResult.Deny(ReasonCode.NotAuthorized, "no user name"));
        foreach (var source in authenticators)
        {
            if (source.KnowsNobody) continue;
            var result = await source.AuthenticateAsync(client, password);
            switch (result.Verdict)
            {
                case AuthenticationVerdict.Allow:
                    BrokerCounters.Add(Metric.ClientAuthSuccess);
                    return result with { Source = source.Name };
                case AuthenticationVerdict.Deny:
                    return Fail(result with { Source = source.Name });
                default:
                    BrokerCounters.Add(Metric.ClientAuthIgnore);
                    break;
            }
        }

        if (!options.AllowAnonymous) return Fail(AuthenticationResult.Deny(ReasonCode.NotAuthorized, "no source knows the client"));
        return Welcome();
    }

    /// <summary>The authenticator of a 5.0 authentication method; null if it is not known.</summary>
    public IEnhancedAuthenticator? FindMethod(string method) => enhanced.GetValueOrDefault(method);

    /// <summary>Counts how an exchange at CONNECT ended.</summary>
    public static void Count(in EnhancedStep end)
    {
        BrokerCounters.Add(Metric.ClientAuthenticate);
        BrokerCounters.Add(end.Code == ReasonCode.Success ? Metric.ClientAuthSuccess : Metric.ClientAuthFailure);
    }

    private Chain MakeChain() => new(security.CurrentValue, SourceOrder.Apply(usual.Concat(sources.Authenticators), source => source.Name, security.CurrentValue.AuthenticationOrder));

    private static AuthenticationResult Welcome()
    {
        BrokerCounters.Add(Metric.ClientAuthSuccess);
        BrokerCounters.Add(Metric.ClientAuthSuccessAnonymous);
        return AuthenticationResult.Allow();
    }

    private static AuthenticationResult Fail(in AuthenticationResult denial)
    {
        BrokerCounters.Add(Metric.ClientAuthFailure);
        return denial;
    }
}
