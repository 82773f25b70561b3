using Broker.Grains.Interfaces.Configuration;
using Broker.Silo;
using Broker.Silo.Health;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

try
{
    var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { Args = args, ContentRootPath = AppContext.BaseDirectory });
    // As in the gateway, whose appsettings.json may lie beside this: the program's own file, the operator's, the environment, the command line.
    builder.Configuration.AddJsonFile("silo.json", optional: true).AddJsonFile(Path.GetFullPath("appsettings.json"), optional: true);
    builder.Configuration.AddEnvironmentVariables("Broker__").AddCommandLine(args);
    builder.AddBrokerSilo();
    using var host = builder.Build();
    await host.StartAsync();
    Console.WriteLine($"\nSilo without listeners\nHealth: curl http://localhost:{host.Services.GetRequiredService<AdminServer>().Port}/health/ready");
    Console.WriteLine($"Data in {SiloDescription.DataOf(host.Services)}\nStop with Ctrl-C.\n");
    await host.WaitForShutdownAsync();
    return 0;
}
catch (OptionsValidationException fault)
{
    foreach (var failure in fault.Failures) await Console.Error.WriteLineAsync(failure);
    return 1;
}
catch (Exception fault) when (fault is StartException or InvalidOperationException { InnerException: FormatException or ArgumentException })
{
    await Console.Error.WriteLineAsync(fault.Message);
    return 1;
}
