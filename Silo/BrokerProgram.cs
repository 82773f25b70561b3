using Broker.Grains.Interfaces.Configuration;
using Broker.Grains.Storage.MySql;
using Broker.Silo.Health;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Broker.Silo;

/// <summary>What the broker's programs share: where their settings come from, what an operator is told, how the process ends.</summary>
internal static class BrokerProgram
{
    /// <summary>Runs a silo, and what a program has beside it, until the process is told to stop.</summary>
    /// <param name="args">The command line: `--Section:Key value`.</param>
    /// <param name="compose">Adds what the program has beside the silo; it starts when the silo is active and stops before it.</param>
    /// <param name="describe">Says, once all has started, what the program offers.</param>
    /// <returns>The exit code: 0 after an orderly stop, 1 if it could not start; then the operator has been told why.</returns>
    public static async Task<int> RunAsync(string[] args, Action<IHostApplicationBuilder> compose, Func<IServiceProvider, string> describe)
    {
        try
        {
            using var host = Build(args, compose);
            await StartAsync(host, describe);
            await host.WaitForShutdownAsync();
            return 0;
        }
        catch (OptionsValidationException fault)
        {
            foreach (var failure in fault.Failures) await Console.Error.WriteLineAsync(failure);
        }
        catch (Exception fault) when (fault is StartException or InvalidOperationException { InnerException: FormatException or ArgumentException })
        {
            await Console.Error.WriteLineAsync(fault.Message);
        }

        return 1;
    }

    private static IHost Build(string[] args, Action<IHostApplicationBuilder> compose)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { Args = args, ContentRootPath = AppContext.BaseDirectory });
        // What comes with the program yields to all else; the environment and the command line win over the operator's own file.
        builder.Configuration.Sources.Insert(0, new JsonConfigurationSource { Path = "broker.json" });
        builder.Configuration.AddJsonFile(Path.GetFullPath("appsettings.json"), optional: true);
        builder.Configuration.AddEnvironmentVariables("Broker__").AddCommandLine(args);
        builder.AddBrokerSilo();
        compose(builder);
        return builder.Build();
    }

    private static async Task StartAsync(IHost host, Func<IServiceProvider, string> describe)
    {
        var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        try
        {
            await host.StartAsync();
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return; // told to stop before it was up: what has started is stopped as usual
        }

        Console.WriteLine($"""

            {describe(host.Services)}
            Health: curl http://localhost:{host.Services.GetRequiredService<AdminServer>().Port}/health/ready
            Data in {DescribeData(host.Services)}
            Stop with Ctrl-C.

            """);
    }

    private static string DescribeData(IServiceProvider services) =>
        services.GetRequiredService<IOptions<ClusterOptions>>().Value is { IsShared: true } cluster ? ConnectionText.Describe(cluster.ConnectionString!)
            : services.GetRequiredService<IOptions<StorageOptions>>().Value.DatabasePath;
}
