using Broker.Gateway.Hosting;
using Broker.Gateway.Transport;
using Broker.Grains.Interfaces.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

try
{
    var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { Args = args, ContentRootPath = AppContext.BaseDirectory });
    // The operator's own file wins over the one that comes with the program; the environment and the command line win over both.
    builder.Configuration.AddJsonFile(Path.GetFullPath("appsettings.json"), optional: true);
    builder.Configuration.AddEnvironmentVariables("Broker__").AddCommandLine(args);
    builder.AddEmbeddedSilo();
    builder.AddGateway();
    await builder.Build().RunAsync();
    return 0;
}
catch (OptionsValidationException fault)
{
    foreach (var failure in fault.Failures) await Console.Error.WriteLineAsync(failure);
    return 1;
}
catch (Exception fault) when (fault is StartException or ListenException or InvalidOperationException { InnerException: FormatException or ArgumentException })
{
    await Console.Error.WriteLineAsync(fault.Message);
    return 1;
}
