using Broker.Silo;
using Broker.Silo.Health;
using Microsoft.Extensions.DependencyInjection;
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

    /// <summary>The port of the process's admin server.</summary>
    public static int AdminPort(IServiceProvider services) => services.GetRequiredService<AdminServer>().Port;

    /// <summary>Where the embedded silo keeps its data, for the start-up message.</summary>
    public static string DescribeData(IServiceProvider services) => SiloDescription.DataOf(services);
}
