using Broker.Gateway.Hosting;

return await EmbeddedSilo.RunAsync(args, compose: builder => builder.AddGateway(), StartMessage.Describe);
