using System.Runtime.CompilerServices;
using Broker.Gateway.Cli;
using Broker.Gateway.Hosting;

return args is ["ctl", .. var rest] ? await CtlProgram.RunAsync(rest) : await StartAsync(args);

// By itself: the command line must not wait until the broker's libraries are loaded.
[MethodImpl(MethodImplOptions.NoInlining)]
static Task<int> StartAsync(string[] args) => EmbeddedSilo.RunAsync(args, compose: builder => builder.AddGateway(), StartMessage.Describe);
