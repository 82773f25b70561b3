using Broker.Silo;
using Microsoft.Extensions.Hosting;

namespace Broker.Gateway.Hosting;

/// <summary>The silo inside the gateway: the one place where the gateway knows of it.</summary>
internal static class EmbeddedSilo
{
    /// <summary>Adds the silo to the gateway's host.</summary>
    public static void AddEmbeddedSilo(this IHostApplicationBuilder builder) => builder.AddBrokerSilo();

    /// <summary>Binds and checks options as the silo does its own.</summary>
    public static void AddCheckedOptions<T>(this IHostApplicationBuilder builder, string section)
        where T : class => BrokerSilo.AddOptions<T>(builder, section);

    /// <inheritdoc cref="BrokerProgram.RunAsync"/>
    public static Task<int> RunAsync(string[] args, Action<IHostApplicationBuilder> compose, Func<IServiceProvider, string> describe) =>
        BrokerProgram.RunAsync(args, compose, describe);
}
