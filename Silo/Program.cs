using Broker.Silo;
using Microsoft.Extensions.Hosting;

var builder = Host.CreateApplicationBuilder(args);
builder.AddBrokerSilo();
await builder.Build().RunAsync();
