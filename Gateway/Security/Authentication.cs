using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Security;

/// <summary>The chain that decides who may connect.</summary>
internal sealed class Authentication(
    IEnumerable<IAuthenticator> authenticators, IEnumerable<IEnhancedAuthenticator> enhanced, IOptions<SecurityOptions> security)
{
    private readonly SecurityOptions options = security.Value;
    private readonly IAuthenticator[] authenticators = SourceOrder.Apply(authenticators, source => source.Name, security.Value.AuthenticationOrder);
    private readonly Dictionary<string, IEnhancedAuthenticator> enhanced = enhanced.ToDictionary(one => one.Method, StringComparer.Ordinal);

    /// <summary>Asks the sources in their order until one does not ignore; if all do, whether anonymous clients are welcome decides. Listeners may take clients as they are.</summary>
    /// <param name="password">As it came.</param>
    public async ValueTask<AuthenticationResult> AuthenticateAsync(ClientInfo client, ReadOnlyMemory<byte>? password)
    {
        BrokerCounters.Add(Metric.ClientAuthenticate);
        if (!client.AuthenticationRequired) return Welcome();
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
