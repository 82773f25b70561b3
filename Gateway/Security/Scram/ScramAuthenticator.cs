using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Gateway.Security.Scram;

/// <summary>One mechanism of SCRAM as a method of enhanced authentication.</summary>
internal sealed class ScramAuthenticator(ScramMechanism mechanism, IScramStore store) : IEnhancedAuthenticator
{
    public string Method => mechanism.Name;

    public IEnhancedExchange Begin(ClientInfo client) => new ScramExchange(mechanism, store, client, MakeNonce);

    private static string MakeNonce() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(18));
}

/// <summary>Composes SCRAM.</summary>
internal static class ScramComposition
{
    /// <summary>Adds the three mechanisms; somebody else adds the <see cref="IScramStore"/>.</summary>
    public static IServiceCollection AddScram(this IServiceCollection services)
    {
        foreach (var mechanism in ScramMechanism.All)
        {
            services.AddSingleton<IEnhancedAuthenticator>(provider => new ScramAuthenticator(mechanism, provider.GetRequiredService<IScramStore>()));
        }

        return services;
    }
}
