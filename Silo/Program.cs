using Broker.Silo;

// Grains and nothing that listens for clients.
return await BrokerProgram.RunAsync(args, compose: builder => builder.AddSessionDefaults(), describe: _ => "Silo without listeners");
